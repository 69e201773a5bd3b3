"""What `stanch doctor` says of a fresh machine, a good set-up, and everything that can be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stanch.responder.bootstrap import House, open_house
from stanch.responder.checkup.rule import load_enabled
from stanch.responder.cli.doctor import command
from stanch.responder.config import load
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.pin import pin
from stanch.responder.lab.aws import AwsLab, Credentials
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.providers.permission import required
from stanch.responder.providers.registry import SPECS
from tests.contracts.sample import incident, run

PEOPLE = '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
Doctor = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that does not exist yet, and no identity in the environment."""
    for name in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "STANCH_CONFIG",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("STANCH_HOME", str(tmp_path / "home"))
    (tmp_path / "stanch.toml").touch()
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def configured(home: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        (home.parent / "stanch.toml").write_text(PEOPLE + text)

    return write


@pytest.fixture
def doctor(home: Path) -> Doctor:
    del home

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(command, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


@pytest.fixture
def used(home: Path, configured: Callable[[str], None]) -> None:
    """An installation that has recorded and anchored something."""
    configured("")
    with open_house(load()) as house:
        record(house)
        house.anchor()
        record(house)
    assert (home / "stanch.db").exists()


def record(house: House) -> None:
    with house.store.transaction() as tx:
        event = Event(
            at=tx.now(), actor="test", action="test.done", incident=IncidentId(1), detail={}
        )
        tx.ledger.append(event)


def flat(result: Result) -> str:
    """The words of the table, as if it were not wrapped."""
    return " ".join(result.output.split())


def test_a_fresh_machine_lacks_people_and_nothing_is_created(home: Path, doctor: Doctor) -> None:
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "two are needed" in flat(result)
    assert result.output.count("WRONG") == 1
    assert not home.exists()


def test_a_set_up_with_two_people_is_well(
    doctor: Doctor, configured: Callable[[str], None]
) -> None:
    configured("")
    result = doctor("--offline")
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_one_person_alone_can_approve_nothing(home: Path, doctor: Doctor) -> None:
    (home.parent / "stanch.toml").write_text('[people.alice]\ngroups = ["security"]\n')
    assert "1 in the group 'security'" in flat(doctor("--offline"))


def test_it_names_the_file_it_read(doctor: Doctor, configured: Callable[[str], None]) -> None:
    configured("")
    assert "stanch.toml" in doctor("--offline").output


@pytest.mark.usefixtures("used")
def test_a_record_that_goes_on_says_how_much_no_anchor_covers(doctor: Doctor) -> None:
    result = doctor("--offline")
    assert result.exit_code == 0, result.output
    assert re.search(r"continues its anchor of \d entries, 1 newer", flat(result))


@pytest.mark.usefixtures("used")
def test_a_record_that_was_cut_is_noticed(home: Path, doctor: Doctor) -> None:
    with open_house(load()) as house, house.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger")
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "does not continue its anchor" in flat(result)
    assert home.exists()


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("name", ["master.key", "ledger.key", "checkpoint.key"])
def test_a_lost_key_is_wrong_and_no_new_one_is_made(home: Path, doctor: Doctor, name: str) -> None:
    (home / name).unlink()
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "restore the file from its backup" in flat(result)
    assert not (home / name).exists()


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("name", ["master.key", "ledger.key", "."])
def test_what_others_can_read_is_wrong(home: Path, doctor: Doctor, name: str) -> None:
    (home / name).chmod(0o755)
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "→ chmod" in result.output


@pytest.mark.usefixtures("used")
def test_a_store_of_a_newer_stanch_is_named(doctor: Doctor) -> None:
    with open_house(load()) as house, house.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version_num = '9999'")
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "install the newer stanch" in flat(result)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "postgresql://nobody@127.0.0.1:1/x"])
def test_a_server_that_is_down_is_wrong(
    doctor: Doctor, configured: Callable[[str], None], url: str
) -> None:
    configured(f'[{"broker" if url.startswith("redis") else "store"}]\nurl = "{url}"\n')
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "→ start it" in flat(result)


def test_a_password_in_a_url_is_wrong_and_never_shown(
    doctor: Doctor, configured: Callable[[str], None]
) -> None:
    configured('[broker]\nurl = "redis://:{}@127.0.0.1:1/0"\n'.format("hunter" + "22"))
    result = doctor("--offline")
    assert "url holds a password" in flat(result)
    assert "hunter22" not in result.output


def test_a_broken_runbook_does_not_hide_the_rest(
    home: Path, doctor: Doctor, configured: Callable[[str], None]
) -> None:
    folder = home.parent / "books"
    folder.mkdir()
    (folder / "bad.yaml").write_text("runbook: bad\nnonsense: 1\n")
    configured(f'[runbooks]\nfolder = "{folder}"\n')
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "bad.yaml" in flat(result)
    assert "broker" in result.output


def followed(change: Callable[[Runbook], Runbook], *, digest: str = "") -> None:
    """Keep an open run of the shipped runbook, after a ``change``."""
    with open_house(load()) as house:
        text, right = pin(change(house.approvals.runbooks["aws-access-key"]))
        with house.store.transaction() as tx:
            tx.incidents.add(incident())
            tx.runs.add(run(pinned=text, digest=digest or right), ())


@pytest.mark.usefixtures("used")
def test_a_run_that_can_be_followed_to_its_end_is_well(doctor: Doctor) -> None:
    followed(lambda book: book)
    assert "1 open; their runbooks can be followed" in flat(doctor("--offline"))


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"uses": "aws.iam.gone"}, "there is no step 'aws.iam.gone' any more"),
        ({"params": {}}, "missing required field"),
    ],
)
def test_a_run_that_cannot_be_followed_names_the_step_and_the_way_out(
    doctor: Doctor, changes: dict[str, Any], why: str
) -> None:
    def older(book: Runbook) -> Runbook:
        *before, last = book.steps
        return replace(book, steps=(*before, replace(last, **changes)))

    followed(older)
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "LK-1 follows aws-access-key v1: " in flat(result)
    assert why in flat(result)
    assert "`stanch cancel LK-1` and respond again" in flat(result)


@pytest.mark.usefixtures("used")
def test_a_runbook_that_was_changed_under_its_run_is_wrong(doctor: Doctor) -> None:
    followed(lambda book: book, digest="0" * 64)
    result = doctor("--offline")
    assert result.exit_code == 2
    assert "was changed after the run began" in flat(result)
    assert "→ run `stanch audit verify`" in flat(result)


@pytest.fixture(scope="module")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start() as running:
        yield running


@pytest.fixture
def use(
    lab: AwsLab, configured: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Credentials], None]:
    """Makes these credentials ours."""

    def put(held: Credentials) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", held.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", held.secret)
        if held.token:
            monkeypatch.setenv("AWS_SESSION_TOKEN", held.token)
        configured(f'[aws]\nendpoint_url = "{lab.endpoint_url}"\n')

    return put


def document(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def identity(lab: AwsLab, use: Callable[[Credentials], None]) -> Callable[..., None]:
    """Makes us a user of the lab who may call these actions."""

    def become(name: str, *actions: str) -> None:
        iam = lab.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="x", PolicyDocument=document(*actions))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        use(Credentials(access_key_id=made["AccessKeyId"], secret=made["SecretAccessKey"]))

    return become


def needed() -> tuple[str, ...]:
    return required(load_enabled(load()).values(), SPECS)


def test_no_identity_is_said_with_its_remedy(
    doctor: Doctor, configured: Callable[[str], None]
) -> None:
    configured("")
    result = doctor()
    assert result.exit_code == 2
    assert "no AWS credentials" in flat(result)


def test_an_unreachable_aws_is_unknown_not_wrong(
    doctor: Doctor, configured: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    configured('[aws]\nendpoint_url = "http://127.0.0.1:1"\n')
    result = doctor()
    assert result.exit_code == 3
    assert "cannot be reached" in flat(result)


def test_every_action_that_is_not_allowed_is_named(
    doctor: Doctor, identity: Callable[..., None]
) -> None:
    actions = needed()
    asking = ("iam:SimulatePrincipalPolicy", "sts:GetCallerIdentity")
    identity("half", *actions[::2], *asking)
    result = doctor()
    assert result.exit_code == 2
    said = flat(result)
    missing = set(actions[1::2]) - set(asking)
    assert {name for name in actions if f"not allowed: {name} " in f"{said} "} == missing


def test_an_identity_with_the_printed_policy_may_do_everything(
    doctor: Doctor, identity: Callable[..., None]
) -> None:
    policy = json.loads(doctor("--iam-policy").output)
    allowed = [action for each in policy["Statement"] for action in each["Action"]]
    identity("whole", *allowed, "iam:SimulatePrincipalPolicy")
    result = doctor()
    assert result.exit_code == 0, result.output
    assert f"all {len(allowed)} actions" in flat(result)


def test_who_may_not_ask_learns_that_it_is_unknown(
    doctor: Doctor, identity: Callable[..., None]
) -> None:
    identity("blind", "sts:GetCallerIdentity")
    result = doctor()
    assert result.exit_code == 3
    assert "--iam-policy" in flat(result)


def test_a_foreign_account_is_wrong(
    home: Path, doctor: Doctor, identity: Callable[..., None]
) -> None:
    identity("elsewhere", *needed(), "iam:SimulatePrincipalPolicy")
    file = home.parent / "stanch.toml"
    file.write_text(file.read_text() + 'accounts = ["999999999999"]\n')
    result = doctor()
    assert result.exit_code == 2
    assert "not among [aws] accounts" in flat(result)


def test_a_session_is_looked_up_as_its_role(
    lab: AwsLab, doctor: Doctor, use: Callable[[Credentials], None]
) -> None:
    iam = lab.client("iam")
    trust = json.loads(document("sts:AssumeRole"))
    del trust["Statement"][0]["Resource"]
    trust["Statement"][0]["Principal"] = {"AWS": lab.account_id}
    role = iam.create_role(RoleName="stanch", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allowed = document(*needed()[1:], "iam:SimulatePrincipalPolicy", "iam:GetRole")
    iam.put_role_policy(RoleName="stanch", PolicyName="x", PolicyDocument=allowed)
    made = lab.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="session")[
        "Credentials"
    ]
    use(
        Credentials(
            access_key_id=made["AccessKeyId"],
            secret=made["SecretAccessKey"],
            token=made["SessionToken"],
        )
    )
    result = doctor()
    assert result.exit_code == 2
    assert result.output.count("not allowed:") == 1
    assert f"not allowed: {needed()[0]}" in flat(result)


def test_slack_is_looked_at_without_posting_or_making_a_key(
    home: Path, doctor: Doctor, identity: Callable[..., None]
) -> None:
    with SlackLab.start() as slack:
        for name, value in (("bot", slack.bot_token), ("app", slack.app_token)):
            (home.parent / name).write_bytes(value.reveal())
        identity("slacker", *needed(), "iam:SimulatePrincipalPolicy")
        file = home.parent / "stanch.toml"
        file.write_text(
            f'{file.read_text()}[slack]\nbot_token = "file:{home.parent}/bot"\n'
            f'app_token = "file:{home.parent}/app"\nchannel = "{slack.channel}"\n'
            f'team = "{slack.team}"\nbase_url = "{slack.base_url}"\n'
        )
        result = doctor()
        assert result.exit_code == 0, result.output
        assert "Slack app-level token opens Socket Mode" in flat(result)
        assert not slack.messages()
    assert not home.exists()
    assert slack.bot_token.reveal().decode() not in result.output
