"""``stanch secrets`` as a person types it, over the lab's Secrets Manager and an env file."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stanch.responder.checkup.secrets import secrets as check
from stanch.responder.cli.main import stanch
from stanch.responder.config import load
from stanch.responder.domain.error import StanchError, UsageError
from stanch.responder.lab.aws import AwsLab, Credentials
from stanch.responder.lifecycle.model.error import SecretRefused
from tests.responder.cli.conftest import Desk

KEY = "secret://shop/prod/stripe/api-key"
TAGS = {
    "owner": "shop-team",
    "service": "shop",
    "environment": "prod",
    "tenant": "none",
    "data-classification": "confidential",
    "rotation-period": "90d",
    "last-rotated": "2026-11-30",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start() as made:
        yield made


@pytest.fixture
def place(lab: AwsLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A production host: its configuration, and an AWS that was emptied."""
    lab.reset()
    for name, value in {
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_AWS_ENDPOINT_URL": lab.endpoint_url,
        "STANCH_AWS_REGION": lab.region,
        "STANCH_SECRETS_ENVIRONMENT": "prod",
        "STANCH_SECRETS_FOLDER": str(tmp_path),
        "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(lab: AwsLab, tags: dict[str, str], *, name: str = "shop/prod/stripe/api-key") -> str:
    value = secrets.token_urlsafe(24)
    lab.client("secretsmanager").create_secret(
        Name=name,
        SecretString=value,
        Tags=[{"Key": f"stanch:{key}", "Value": text} for key, text in tags.items()],
    )
    return value


def somebody(lab: AwsLab, action: str) -> Credentials:
    """A user called web who may do one thing."""
    iam = lab.client("iam")
    iam.create_user(UserName="web")
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="web", PolicyName="one", PolicyDocument=policy)
    key = iam.create_access_key(UserName="web")["AccessKey"]
    return Credentials(access_key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])


def run(*arguments: str) -> str:
    done = CliRunner().invoke(stanch, ["secrets", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*arguments: str) -> StanchError:
    done = CliRunner().invoke(stanch, ["secrets", *arguments])
    assert isinstance(done.exception, StanchError), done.output
    return done.exception


def test_what_is_refused_is_given_after_the_command_that_the_error_ends_in(
    lab: AwsLab, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    value = made(lab, {key: text for key, text in TAGS.items() if key != "owner"})
    error = refused("get", KEY)
    assert isinstance(error, SecretRefused)
    assert "owner missing" in str(error)
    command = error.remedy.partition("stanch secrets ")[2].split()
    assert "owner=payments-team" in run(*command)
    capfdbinary.readouterr()
    run("get", KEY, "--reason", "to see")
    assert capfdbinary.readouterr().out == value.encode()
    record = CliRunner().invoke(stanch, ["audit", "log"]).output
    assert [word in record for word in ("secret.refused", "secret.given", '"why":"to see"')] == [
        True,
        True,
        True,
    ]
    assert value not in record
    assert value not in "".join(
        path.read_bytes().decode("latin-1") for path in place.rglob("*") if path.is_file()
    )


def test_a_secret_of_another_environment_is_refused_here(lab: AwsLab, place: Path) -> None:
    del lab, place
    error = refused("get", "secret://shop/dev/stripe/api-key")
    assert "it belongs to dev, and this is prod" in str(error)


def test_the_matrix_has_the_worst_first_in_every_format(lab: AwsLab, place: Path) -> None:
    made(lab, TAGS)
    made(lab, TAGS | {"last-rotated": "2020-01-01"}, name="shop/prod/stripe/old")
    made(lab, {}, name="shop/prod/db/password")
    made(lab, {}, name="legacy-thing")
    rows = list(csv.DictReader(run("list", "--format", "csv", "--env", "prod").splitlines()))
    assert [(row["state"], row["secret"].rpartition("/")[2]) for row in rows][:2] == [
        ("overdue", "old"),
        ("unowned", "password"),
    ]
    assert [row["state"] for row in rows][2:] == ["unnamed", "ok"]
    found = json.loads(run("list", "--format", "json", "--env", "prod"))
    assert found["complete"]
    kept: list[dict[str, Any]] = found["secrets"]
    assert (kept[-1]["owner"], kept[-1]["due"][:10]) == ("shop-team", "2027-02-28")
    for form in ("xlsx", "html"):
        assert run("list", "--format", form, "--output", f"secrets.{form}") == ""
    assert (place / "secrets.xlsx").read_bytes().startswith(b"PK")
    assert "shop-team" in (place / "secrets.html").read_text()
    table = run("list", "--env", "prod")
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "4 secrets: " in table


def test_metadata_that_is_no_metadata_is_refused(lab: AwsLab, place: Path) -> None:
    del lab, place
    assert "a period such as 90d" in str(refused("annotate", KEY, "--rotation-period", "soon"))
    assert "nothing is to be set" in str(refused("annotate", KEY))


def test_a_reference_in_the_arguments_is_refused(lab: AwsLab, place: Path) -> None:
    del lab, place
    error = refused("run", "--", "echo", KEY)
    assert isinstance(error, UsageError)
    assert "arguments" in str(error)


def test_a_program_gets_its_secret_and_its_exit_code_is_ours(desk: Desk) -> None:
    value = secrets.token_urlsafe(24)
    (desk.folder / ".env.dev").write_text(f"STRIPE_API_KEY={value}\n")
    done = desk.stanch(
        *("secrets", "run", "--", "sh", "-c", 'test "$KEY" = "$WANTED" && exit 7'),
        KEY="secret://shop/dev/stripe/api-key",
        WANTED=value,
        STANCH_SECRETS_DEVELOPMENT="env-file",
    )
    assert (done.code, done.out, done.err) == (7, "", "")
    assert not desk.database.exists()  # a developer's access opens no record


def test_a_value_goes_to_a_terminal_only_when_asked(
    lab: AwsLab, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(lab, TAGS)
    monkeypatch.setattr("stanch.responder.cli.secrets.get.is_terminal", lambda: True)
    error = refused("get", KEY)
    assert error.remedy.endswith(f"stanch secrets get --show {KEY}")
    assert not (place / "home" / "stanch.db").exists()  # nothing was asked for


def test_discovery_joins_stores_keys_and_code(lab: AwsLab, place: Path) -> None:
    made(lab, TAGS)
    lab.client("kms").create_key(Description="no rotation")
    iam = lab.client("iam")
    iam.create_user(UserName="deploy", Tags=[{"Key": "owner", "Value": "shop-team"}])
    key = iam.create_access_key(UserName="deploy")["AccessKey"]["AccessKeyId"]
    iam.create_access_key(UserName="deploy")
    (place / "code").mkdir()
    (place / "code" / "app.py").write_text(f'get("{KEY}")\nget("{KEY}-2")\n')
    done = CliRunner().invoke(
        stanch, ["secrets", "discover", "--format", "json", str(place / "code")]
    )
    assert done.exit_code == 1, done.output
    found = json.loads(done.output)
    assert (found["complete"], found["unseen"]) == (True, [])
    items = {(each["kind"], each["name"]): each for each in found["items"]}
    assert items["secret", KEY]["problem"] == ""
    assert items["reference", KEY]["problem"] == ""
    assert items["reference", f"{KEY}-2"]["problem"] == "no store that was listed has it"
    assert [each["problem"] for kind, each in items.items() if kind[0] == "kms-key"] == [
        "it is not rotated by itself"
    ]
    access = items["iam-access-key", f"{key[:4]}…{key[-4:]}"]
    assert access["owner"] == "shop-team"
    assert "two active keys" in access["problem"]
    assert key not in done.output


def test_what_could_not_be_looked_at_makes_discovery_incomplete(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "app.py").write_text(f'get("{KEY}")\n')
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "w" * 40)
    done = CliRunner().invoke(stanch, ["secrets", "discover", "--all", "app.py"])
    assert done.exit_code == 3
    assert "was not looked at" in done.output
    assert "no store that was listed has it" not in done.output


def test_an_index_knows_the_values_and_shows_who_shares_one(lab: AwsLab, place: Path) -> None:
    value = made(lab, TAGS)
    lab.client("secretsmanager").create_secret(
        Name="risk/prod/stripe/api-key",
        SecretString=value,
        Tags=[{"Key": f"stanch:{key}", "Value": text} for key, text in TAGS.items()],
    )
    done = CliRunner().invoke(stanch, ["secrets", "index"])
    assert done.exit_code == 1, done.output
    assert "2 secrets can be recognised in prod" in done.output
    assert f"secret://risk/prod/stripe/api-key and {KEY} hold the same value" in done.output
    record = CliRunner().invoke(stanch, ["audit", "log"]).output
    assert record.count("secret.indexed") == 2
    assert record.count("secret.fingerprinted") == 2
    assert value not in record
    assert (place / "home" / "stanch.db").exists()


def test_who_was_given_a_secret_stands_in_the_matrix(
    lab: AwsLab, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    del place
    made(lab, TAGS)

    def consumers() -> str | None:
        found = json.loads(run("list", "--format", "json", "--env", "prod"))
        who: list[str] | None = found["secrets"][0]["consumers"]
        return None if who is None else ",".join(who)

    assert consumers() is None  # there is no record yet, and looking makes none
    run("get", KEY)
    capfdbinary.readouterr()
    assert str(consumers()).startswith("cli:")


def test_who_reads_the_store_itself_is_found_in_the_trail_and_in_code(
    lab: AwsLab, place: Path
) -> None:
    made(lab, TAGS)
    web = somebody(lab, "secretsmanager:GetSecretValue")
    lab.client("secretsmanager", web).get_secret_value(SecretId="shop/prod/stripe/api-key")
    (place / "app.py").write_text(f'\nget("{KEY}")\n')
    found = json.loads(
        run("list", "--format", "json", "--env", "prod", "--trail", "--code", "app.py")
    )
    assert found["secrets"][0]["consumers"] == ["code:app.py", "user/web"]


def test_a_trail_that_cannot_be_read_makes_the_matrix_incomplete(
    lab: AwsLab, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del place
    made(lab, TAGS)
    lister = somebody(lab, "secretsmanager:ListSecrets")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", lister.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", lister.secret)
    arguments = ["secrets", "list", "--format", "json", "--env", "prod", "--trail"]
    done = CliRunner().invoke(stanch, arguments)
    assert done.exit_code == 3
    assert "CloudTrail (GetSecretValue) did not list all it has" in done.output
    assert KEY in done.output


def test_doctor_says_whether_the_stores_of_the_place_answer(
    lab: AwsLab, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[tuple[str, str]]:
        return [(each.state, each.what) for each in check(load(), offline=False)]

    assert said() == [
        ("good", "prod, no service of its own: asks secrets-manager"),
        ("good", "secrets-manager answers, and has no secret"),
    ]
    made(lab, TAGS)
    assert said()[1] == ("good", "secrets-manager has secrets")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "w" * 40)
    assert said()[1][0] == "wrong"
    log = place / "home" / "access.jsonl"
    log.parent.mkdir()
    log.write_text("{}\n")
    assert said()[0][0] == "wrong"
    log.unlink()
    monkeypatch.setenv("STANCH_SECRETS_PRODUCTION", "env-file")
    with pytest.raises(StanchError, match="no store for production"):
        said()


def test_a_leak_of_an_indexed_secret_names_its_owner_on_the_card(lab: AwsLab, place: Path) -> None:
    value = made(lab, TAGS)
    assert "1 secret can be recognised" in run("index")
    (place / "leak").mkdir()
    (place / "leak" / "settings.py").write_text(f'STRIPE_PASSWORD = "{value}"\n')
    done = CliRunner().invoke(stanch, ["respond", "leak"])
    assert done.exit_code in {0, 1}, done.output
    shown = " ".join(done.output.replace("│", " ").split())
    assert f"Is the secret {KEY}" in shown
    assert "owner shop-team" in shown
    assert value not in done.output
