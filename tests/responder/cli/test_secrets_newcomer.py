"""``stanch secrets`` as somebody meets it first: an env file, no AWS, and what goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stanch.responder.cli.main import stanch
from stanch.responder.domain.error import StanchError, UsageError
from stanch.responder.lifecycle.model.error import SecretsConfigError

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
    assert (listed.exit_code, ".env.dev is a directory" in listed.output) == (3, True)
    assert "is a directory" in str(error("migrate", ".env.dev"))


def test_a_file_of_accesses_that_cannot_be_read_is_a_note(here: Path) -> None:
    (here / "home" / "access.jsonl").mkdir(parents=True)
    listed = run("list", "--env", "test")
    assert (listed.exit_code, "access.jsonl" in listed.output) == (0, True)
