"""``stanch secrets`` as somebody meets it first: an env file, no AWS, and what goes wrong."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_urlsafe

import pytest
from click.testing import CliRunner, Result

from stanch.responder.cli.main import stanch
from stanch.responder.domain.error import StanchError, UsageError
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretsConfigError,
    SecretUnavailable,
)

KEY = "secret://shop/dev/stripe/api-key"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where env files are the only store."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "STANCH_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_AWS_REGION": "eu-central-1",
        "STANCH_SECRETS_SERVICE": "shop",
        "STANCH_SECRETS_DEVELOPMENT": "env-file",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "COLUMNS": "80",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(stanch, ["secrets", *arguments])


def error(*arguments: str) -> StanchError:
    done = run(*arguments)
    assert isinstance(done.exception, StanchError), (done.output, done.exception)
    return done.exception


@pytest.mark.parametrize("command", [("list",), ("list", "--env", "prod"), ("index",)])
def test_a_store_that_production_must_not_have_is_refused_by_every_command(
    here: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (here / ".env.dev").write_text("STRIPE_API_KEY=x\n")
    monkeypatch.setenv("STANCH_SECRETS_ENVIRONMENT", "prod")
    monkeypatch.setenv("STANCH_SECRETS_PRODUCTION", "env-file")
    refused = error(*command)
    assert isinstance(refused, SecretsConfigError)
    assert str(refused) == str(error("get", "secret://shop/prod/stripe/api-key"))


def test_one_environment_is_listed_alone(here: Path) -> None:
    (here / ".env.dev").write_text("STRIPE_API_KEY=x\nDEBUG=1\n")
    (here / ".env.test").write_text("STRIPE_API_KEY=x\n")
    listed = run("list", "--env", "test")
    assert "shop/test/stripe/api-key" in listed.output
    assert "1 secret:" in listed.output


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_place_that_is_not_there_is_a_mistake_of_usage(here: Path, form: str) -> None:
    (here / "file").touch()
    for place in ("nodir/secrets", "file/secrets"):
        found = error("list", "--env", "test", "--format", form, "--output", place)
        assert isinstance(found, UsageError)
        assert place in str(found)


def test_a_directory_instead_of_an_env_file_is_said(here: Path) -> None:
    (here / ".env.dev").mkdir()
    assert ".env.dev is a directory" in str(error("get", KEY))
    listed = run("list", "--env", "dev")
    assert (listed.exit_code, ".env.dev is a directory; move it away" in listed.output) == (3, True)
    assert "is a directory" in str(error("migrate", ".env.dev"))


def test_a_file_of_accesses_that_cannot_be_read_is_a_note(here: Path) -> None:
    (here / "home" / "access.jsonl").mkdir(parents=True)
    listed = run("list", "--env", "test")
    assert (listed.exit_code, "access.jsonl" in listed.output) == (0, True)


def test_a_store_that_nobody_could_ask_is_not_known_and_never_denied(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCH_SECRETS_DEVELOPMENT", "secrets-manager,env-file")
    (here / ".env.dev").write_text("STRIPE_OTHER=x\n")
    for env, remedy in (
        ("dev", f"add the line STRIPE_API_KEY=VALUE to {here}/.env.dev; or set AWS_PROFILE"),
        ("prod", "set AWS_PROFILE"),
    ):
        found = error("get", KEY.replace("dev", env), "--env", env)
        assert (type(found), found.exit_code) == (SecretUnavailable, 3)
        assert "secrets-manager did not answer, so nobody knows whether it is there" in str(found)
        assert "no AWS credentials of its own" in str(found)
        assert found.remedy.startswith(remedy)
    given = run("get", "secret://shop/dev/stripe/other")
    assert (given.exit_code, "secrets-manager was passed over" in given.output) == (0, True)


def test_what_no_env_file_has_is_added_by_the_line_that_is_named(here: Path) -> None:
    assert (
        error("get", KEY).remedy == f"write into a new file {here}/.env.dev: STRIPE_API_KEY=VALUE"
    )
    (here / ".env.dev").write_text("A_B=x\n")
    found = error("get", KEY)
    assert (type(found), found.exit_code) == (SecretAbsent, 1)
    assert found.remedy == f"add the line STRIPE_API_KEY=VALUE to {here}/.env.dev"


def test_what_is_given_twice_and_what_is_read_over_is_said(
    here: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    bare = token_urlsafe(24).replace("-", "_")
    (here / ".env.dev").write_text(f"STRIPE_API_KEY=a\nexport {bare}\nSTRIPE_API_KEY=b\n")
    given = run("get", KEY)
    assert capfdbinary.readouterr().out == b"b"
    assert "lines 1 and 3" in given.output
    assert "the last counts" in given.output
    assert "nothing is read from line 2" in str(error("get", f"{KEY}-2"))
    listed = run("list", "--format", "csv").output
    assert "the last counts" in listed
    assert ".env.dev:2" in listed
    assert "which has no =" in listed
    refused = error("migrate", ".env.dev")
    assert ".env.dev:2: there is no =" in str(refused)
    assert bare not in listed + str(refused) + given.output


def test_an_entry_without_a_name_says_what_gives_it_one(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / ".env.dev").write_text("DEBUG=1\n")
    assert "--map DEBUG=secret://shop/dev/TOOL/NAME" in run("list", "--format", "csv").output
    monkeypatch.setenv("STANCH_SECRETS_SERVICE", "")
    assert "write service to [secrets]" in run("list", "--format", "csv").output


def test_a_plan_that_no_store_answered_names_what_is_next(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCH_SECRETS_DEVELOPMENT", "secrets-manager,env-file")
    (here / ".env.dev").write_text(f"STRIPE_API_KEY={token_urlsafe(24)}\n")
    plan = run("migrate", ".env.dev")
    said = " ".join(plan.output.split())
    assert plan.exit_code == 3
    assert "\\n" not in said
    assert all(len(line) <= 80 for line in plan.output.split("\n"))
    assert "--owner" in said  # what is missing as well, at the first time
    assert "`stanch doctor`, then the same command" in said
    assert "--apply" not in said


@pytest.mark.usefixtures("here")
def test_an_index_without_a_managed_store_says_so() -> None:
    done = run("index", "--env", "dev")
    assert done.exit_code == 0
    assert "no managed store to open: dev has env-file alone" in done.output


def test_a_store_that_cannot_rotate_is_refused_in_words(here: Path) -> None:
    (here / ".env.dev").write_text("STRIPE_API_KEY=x\n")
    words = "env-file cannot keep a pending version or promote by compare-and-set: "
    for command in (("rotate", KEY, "--ticket", "T", "--reason", "due"), ("repair", KEY)):
        assert words in str(error(*command, "--with", "random"))


@pytest.mark.usefixtures("here")
def test_two_ways_to_hand_a_value_over_are_refused() -> None:
    assert "--fd and --file" in str(error("run", "--fd", "--file", "--", "true"))
