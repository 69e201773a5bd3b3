"""``stanch secrets migrate`` as a person types it, over the lab's Secrets Manager."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stanch.responder.cli.main import stanch
from stanch.responder.domain.error import UsageError
from stanch.responder.lab.aws import AwsLab
from tests.responder.cli.conftest import Desk

WORDS = (
    *("--owner", "shop-team", "--data-classification", "confidential"),
    *("--rotation-period", "90d", "--last-rotated", "2026-11-30"),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start() as made:
        yield made


@pytest.fixture
def value() -> str:
    return secrets.token_urlsafe(24)


@pytest.fixture
def place(lab: AwsLab, tmp_path: Path, value: str) -> dict[str, str]:
    lab.reset()
    (tmp_path / ".env.prod").write_text(f"PORT=8080\nSTRIPE_API_KEY={value}\n")
    return {
        "STANCH_AWS_ENDPOINT_URL": lab.endpoint_url,
        "STANCH_AWS_REGION": lab.region,
        "STANCH_SECRETS_SERVICE": "shop",
        "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
    }


@pytest.fixture
def here(place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {**place, "STANCH_HOME": str(tmp_path / "home"), "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(stanch, ["secrets", "migrate", *arguments])


def test_a_plan_then_the_whole_way_within_eighty_columns(
    lab: AwsLab, here: Path, value: str
) -> None:
    lacking = run(".env.prod")
    assert lacking.exit_code == 1
    assert "rotation-period" in lacking.output
    assert "\\n" not in lacking.output
    plan = run(".env.prod", *WORDS)
    assert (plan.exit_code, "nothing was written" in plan.output) == (0, True)
    assert lab.client("secretsmanager").list_secrets()["SecretList"] == []
    done = run(".env.prod", *WORDS, "--apply", "--check", "true", "--guard", "--reason", "move")
    assert done.exit_code == 0, done.output
    assert all(len(line) <= 80 for line in (lacking.output + plan.output + done.output).split("\n"))
    kept = lab.client("secretsmanager").get_secret_value(SecretId="shop/prod/stripe/api-key")
    assert kept["SecretString"] == value
    text = (here / ".env.prod").read_text()
    assert text == "PORT=8080\nSTRIPE_API_KEY=secret://shop/prod/stripe/api-key\n"
    left = b"".join(path.read_bytes() for path in here.rglob("*") if path.is_file())
    assert value.encode() not in left
    assert value not in done.output


def role_of(lab: AwsLab, name: str, *actions: str) -> str:
    """A role of the application that may do this."""
    iam = lab.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    if actions:
        given = policy({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=given)
    admin = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    user = lab.client("sts").get_caller_identity()["Arn"].rpartition("/")[2]
    iam.put_user_policy(UserName=user, PolicyName="assume", PolicyDocument=policy(admin))
    return str(made["Arn"])


def policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_what_the_applications_own_role_may_not_read_is_not_migrated(
    lab: AwsLab, here: Path
) -> None:
    del here
    reading = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
    for name, actions, code in (("without", (), 1), ("with", reading, 0)):
        role = role_of(lab, name, *actions)
        done = run(".env.prod", *WORDS, "--apply", "--role", role, "--format", "json")
        assert done.exit_code == code, (done.output, done.exception)
        phases = {each["phase"]: each for each in json.loads(done.stdout)["phases"]}
        assert role in phases["validate"]["summary"]


def test_files_are_replaced_only_after_a_check(here: Path) -> None:
    del here
    done = run(".env.prod", *WORDS, "--apply", "--guard")
    assert isinstance(done.exception, UsageError)
    failed = run(".env.prod", *WORDS, "--apply", "--check", "false", "--guard")
    assert failed.exit_code == 1
    assert "false ended with 1" in failed.output


def test_two_environments_are_not_mixed(here: Path) -> None:
    (here / ".env.test").write_text("A_KEY=b\n")
    assert isinstance(run(".env.prod", ".env.test").exception, UsageError)
    assert isinstance(run(".env.prod", "--env", "test").exception, UsageError)


def test_a_process_that_is_killed_goes_on_where_it_stopped(
    place: dict[str, str], here: Path
) -> None:
    (here / "kill").write_text('#!/bin/sh\ntest -n "$STRIPE_API_KEY" && kill -9 $PPID\n')
    (here / "kill").chmod(0o700)
    words = (".env.prod", *WORDS, "--apply", "--format", "json", "--guard")
    desk = Desk(folder=here, environment=place)
    assert desk.stanch("secrets", "migrate", *words, "--check", "./kill").code == -9
    again = run(*words, "--check", "true")
    assert again.exit_code == 0, again.output
    phases = {each["phase"]: each for each in json.loads(again.stdout)["phases"]}
    assert [name for name in phases if phases[name]["before"]] == [
        "write",
        "validate",
        "consistency",
    ]
