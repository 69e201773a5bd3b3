"""What a report cannot do: switch a service off, hand a user over, or end Stanch itself."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from stanch.responder.domain.step import NotYet, Refuted, Verified
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.own import own_keys
from stanch.responder.providers.aws.adapter.trail import Birth
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.aws.steps.lineage import Heir
from stanch.responder.providers.aws.steps.role_session import within_reach
from stanch.responder.providers.registry import SPECS
from stanch.scanner.model.secret import SecretValue

Bench = Any  # conftest.py cannot be imported by name
TRY = "aws.sts.try_pair"
_ALPHABET = string.ascii_letters + string.digits


def made_up() -> SecretValue:
    return SecretValue("".join(secrets.choice(_ALPHABET) for _ in range(40)).encode())


def asked(bench: Bench, **facts: str) -> int:
    """How many people containment waits for, by what the step found."""
    books = load_runbooks(files("stanch.runbooks"), SPECS)
    policy = books["aws-access-key"].policies["first-touch"]
    found = {"owner.status": "Active", "owner.protected": "no", **facts}
    return policy.need(found | {"tried.works": bench.out(TRY, "works")}).count


def test_a_pair_that_works_is_contained_without_a_question(bench: Bench) -> None:
    bench.do(TRY, account=bench.lab.account_id)
    assert asked(bench) == 0
    assert asked(bench, **{"owner.protected": "yes"}) == 2


def test_any_forty_characters_beside_an_id_are_worth_as_much_as_the_id(bench: Bench) -> None:
    bench.safe.leak["secret_access_key"] = made_up()
    bench.do(TRY, account=bench.lab.account_id)
    assert asked(bench) == 1
    del bench.safe.leak["secret_access_key"]
    bench.do(TRY, account=bench.lab.account_id)
    assert asked(bench) == 1
    assert bench.listed() == {bench.world.leaked.access_key_id: "Active"}


def test_a_strangers_pair_is_not_tried(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(accounts=("999988887777",))
    bench.do(TRY, account=bench.lab.account_id)
    assert bench.out(TRY, "works") == "unknown"
    assert bench.lab.calls(since=bench.seen) == ()


def test_without_an_answer_a_person_is_asked_and_nobody_waits_for_ever(bench: Bench) -> None:
    bench.aws.account()  # asked once, before
    bench.lab.fault("sts:GetCallerIdentity", "throttle", times=1)
    assert isinstance(bench.look(TRY, account=bench.lab.account_id), NotYet)
    bench.starts[TRY] = datetime.now(UTC) - timedelta(minutes=1)
    bench.lab.fault("sts:GetCallerIdentity", "throttle", times=1)
    assert isinstance(bench.look(TRY, account=bench.lab.account_id), Verified)
    assert bench.out(TRY, "works") == "unknown"
    assert asked(bench) == 1


def test_a_made_up_pair_in_a_strangers_secret_gets_no_new_key(bench: Bench) -> None:
    """Who writes a secret with somebody's id and reports the same pair is handed nothing."""
    bench.safe.leak["secret_access_key"] = made_up()
    held = {
        "aws_access_key_id": bench.world.leaked.access_key_id,
        "aws_secret_access_key": bench.safe.leak["secret_access_key"].reveal().decode(),
    }
    name = "mallory/takes-over"
    bench.lab.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(held))
    works = bench.do(TRY, account=bench.lab.account_id).outputs["works"]
    holder = {"user": bench.world.user, "secret": name}
    proven = bench.do("aws.secretsmanager.prove_possession", **holder, leaked=works).outputs
    found = bench.do("aws.secretsmanager.find_consumer", **holder, proven=proven["proven"])
    assert found.outputs["secret"] == ""


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> botocore.session.Session:
    """A role assumed with a key of another profile, as operators configure it."""
    (tmp_path / "config").write_text(
        "[profile responder]\nrole_arn = arn:aws:iam::123456789012:role/stanch\n"
        "source_profile = base\n[profile base]\nsource_profile = responder\n"
    )
    (tmp_path / "credentials").write_text(
        "[base]\naws_access_key_id = the-base\n[colleague]\naws_access_key_id = another\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "responder")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "exported")
    return botocore.session.get_session()


def test_our_identity_rests_on_every_key_of_its_chain_and_on_no_other(
    chain: botocore.session.Session,
) -> None:
    assert own_keys(chain) == {"the-base", "exported"}


def test_the_key_that_our_role_is_assumed_with_is_not_touched(
    bench: Bench, chain: botocore.session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    del chain
    key_id = bench.world.leaked.access_key_id
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    ours = AwsClients(bench.aws.settings)
    monkeypatch.setattr(ours, "is_ours", lambda _account: True)
    bench.steps = AWS.build(ours)
    verdict = bench.look("aws.iam.find_owner", account=bench.lab.account_id)
    ours.close()
    assert isinstance(verdict, Refuted)
    assert "own identity" in verdict.why


def test_our_own_session_is_never_denied(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = (f"AROA{letter * 17}:session" for letter in "XY")

    def heir(name: str) -> Heir:
        return Heir(
            id="ASIA…0000",
            birth=Birth.ROLE_SESSION,
            api="AssumeRole",
            owner=f"arn:aws:iam::{bench.lab.account_id}:role/stanch",
            name=name,
            issued_at=datetime.now(UTC),
        )

    both = (heir(ours), heir(theirs))
    assert within_reach(bench.aws, both) == {"stanch": frozenset({ours, theirs})}
    monkeypatch.setattr(bench.aws, "session_name", lambda: ours)
    assert within_reach(bench.aws, both) == {"stanch": frozenset({theirs})}
