"""Our hands in AWS: clear errors, nothing secret in them, permissions as declared."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from stanch.responder.domain.error import ConfigError, Retryable, StepFailed
from stanch.responder.domain.step import Effect, NotYet, Verified
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings, Credentials
from stanch.responder.providers.aws.adapter.error import calling, masked
from stanch.responder.providers.aws.adapter.keyid import decode_account
from stanch.responder.providers.aws.permission import policy_document
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.permission import required
from stanch.responder.providers.registry import SPECS
from stanch.scanner.model.secret import SecretValue

Bench = Any  # conftest.py cannot be imported by name
# Assembled, so that no scanner takes them for keys.
SAMPLE = "ASIA" + "Y34FZKBOKMUTVV7A"
OLD_SAMPLE = "AKIA" + "I44QH8DHBEXAMPLE"


@pytest.mark.parametrize(
    ("key_id", "account"),
    [
        (SAMPLE, "609629065308"),
        ("AKIA" + "RZPUZDIKLN5V6ALJ", "123456789012"),
        (OLD_SAMPLE, None),
        ("AKIA", None),
        ("", None),
        ("AKIA" + "é" * 16, None),
    ],
)
def test_the_account_is_read_from_the_id_or_not_at_all(key_id: str, account: str | None) -> None:
    assert decode_account(key_id) == account


def test_a_region_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'eu-centrl-1'") as caught:
        AwsClients(AwsSettings(region="eu-centrl-1"))
    assert "eu-central-1" in caught.value.remedy


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(ConfigError, match="no-such-profile"):
        AwsClients(AwsSettings(region="us-east-1"))


def test_an_endpoint_that_nobody_listens_at_is_retried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        aws = AwsClients(
            AwsSettings(
                region="us-east-1", endpoint_url=f"http://127.0.0.1:{taken.getsockname()[1]}"
            ),
            own=_pair(SAMPLE, "x"),
        )
        with pytest.raises(Retryable, match="no answer"):
            aws.account()
        aws.close()


def test_a_missing_permission_is_named_in_the_remedy(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    poor = AwsClients(
        bench.aws.settings,
        own=_pair(bench.world.leaked.access_key_id, bench.world.leaked.secret),
    )
    bench.steps = AWS.build(poor)
    with pytest.raises(StepFailed) as caught:
        bench.do("aws.iam.disable_access_key", user=bench.world.user)
    assert "allow iam:ListAccessKeys" in caught.value.remedy
    poor.close()


def test_our_own_rejected_credentials_are_told_from_the_leaked_ones(bench: Bench) -> None:
    wrong = AwsClients(bench.aws.settings, own=_pair(bench.lab.admin.access_key_id, "wrong"))
    bench.steps = AWS.build(wrong)
    with pytest.raises(StepFailed, match="Stanch's own credentials"):
        bench.do("aws.iam.disable_access_key", user=bench.world.user)
    wrong.close()


def test_a_wrong_secret_proves_nothing_about_the_key(bench: Bench) -> None:
    bench.safe.leak["secret_access_key"] = SecretValue(b"not the one")
    bench.do("aws.sts.probe_session", account=bench.lab.account_id)
    assert isinstance(bench.refused(), NotYet)
    bench.do("aws.iam.disable_access_key", user=bench.world.user)
    bench.do("aws.iam.deny_user_sessions", user=bench.world.user)
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    assert verdict.outputs["session"] == "admin"


def test_no_error_of_ours_carries_a_key_id() -> None:
    response: Any = {
        "Error": {"Code": "Odd", "Message": f"The Access Key with id {SAMPLE} is odd"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    with pytest.raises(StepFailed) as caught, calling("iam:Odd"):
        raise ClientError(response, "Odd")
    assert SAMPLE not in str(caught.value)
    assert "ASIA…VV7A" in str(caught.value)
    assert caught.value.__suppress_context__
    assert masked(f"({SAMPLE})") == "(ASIA…VV7A)"


def test_the_calls_we_make_are_those_that_the_steps_declare(bench: Bench) -> None:
    bench.do("aws.key.classify")
    bench.world.attacker.intrude()
    bench.do("aws.iam.snapshot_user", user=bench.world.user)
    bench.contain()
    bench.refused()
    bench.do("aws.cloudtrail.activity", user=bench.world.user)
    bench.replace()
    for name in reversed(list(bench.before)):
        if SPECS[name].undo:
            bench.undo(name)
    ours = bench.lab.admin.access_key_id
    made = {
        f"{call['service']}:{call['api']}"
        for call in bench.lab.calls(since=bench.seen)
        if call["access_key_id"] == ours
    }
    allowed = set(required(load_runbooks(files("stanch.runbooks"), SPECS).values(), SPECS))
    assert made <= allowed
    assert "iam:DeleteUserPolicy" in made


def test_the_generated_policy_is_enough_for_the_whole_runbook(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench()
    document = policy_document(
        required(load_runbooks(files("stanch.runbooks"), SPECS).values(), SPECS)
    )
    iam = bench.lab.client("iam")
    iam.create_user(UserName="stanch")
    iam.put_user_policy(
        UserName="stanch", PolicyName="least", PolicyDocument=msgspec.json.encode(document).decode()
    )
    made = iam.create_access_key(UserName="stanch")["AccessKey"]
    own = AwsClients(bench.aws.settings, own=_pair(made["AccessKeyId"], made["SecretAccessKey"]))
    bench.steps, bench.aws = AWS.build(own), own
    bench.do("aws.iam.snapshot_user", user=bench.world.user)
    bench.contain()
    assert isinstance(bench.refused(), Verified)
    bench.do("aws.cloudtrail.activity", user=bench.world.user)
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    own.close()


def test_every_undo_exists_and_asks_only_for_what_the_engine_gives() -> None:
    for spec in SPECS.values():
        if spec.undo is None:
            continue
        assert dataclasses.is_dataclass(spec.params)
        given = {field.name for field in dataclasses.fields(spec.params)}
        undo = SPECS[spec.undo].params
        assert dataclasses.is_dataclass(undo)
        required_ = {
            field.name
            for field in dataclasses.fields(undo)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        assert required_ <= given, spec.name


def test_parameters_are_made_from_json_and_nothing_else() -> None:
    for spec in SPECS.values():
        assert dataclasses.is_dataclass(spec.params)
        names = {f.name for f in dataclasses.fields(spec.params)}
        raw = {n: {"a": [1]} if n in {"before", "outputs", "evidence"} else "x" for n in names}
        assert msgspec.convert(raw, spec.params) is not None
        if not _takes_anything(spec.params):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(dict.fromkeys(names or {"x"}, 7) if names else 7, spec.params)


def _takes_anything(params: type[object]) -> bool:
    """What the trail found is a list or, in a plan, a text: the step itself reads it strictly."""
    assert dataclasses.is_dataclass(params)
    return all(str(f.type) == "object" for f in dataclasses.fields(params) if f.init)


def test_plans_show_calls_without_touching_the_network() -> None:
    aws = AwsClients(AwsSettings(region="us-east-1", endpoint_url="http://127.0.0.1:1"))
    for name, step in AWS.build(aws).items():
        spec = SPECS[name]
        assert dataclasses.is_dataclass(spec.params)
        names = [
            f.name
            for f in dataclasses.fields(spec.params)
            if f.name not in {"before", "outputs", "evidence"}
        ]
        calls = step.calls(spec.params(**{n: f"‹{n}›" for n in names}), "AKIA…7Q2M")
        assert calls or name == "aws.key.classify"
        if spec.effect is not Effect.READ:  # each change is a call, whatever is said beside it
            assert any(":" in call.api for call in calls)
            assert all(":" in call.api or call.words for call in calls)
    aws.close()


def _pair(key_id: str, secret: str) -> Credentials:
    return Credentials(
        access_key_id=SecretValue(key_id.encode()), secret_access_key=SecretValue(secret.encode())
    )
