"""Replacement: one new key, sealed, in the consumer's secret, and all of it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.step import Absent, NotYet, Present, Refuted, Verified
from stanch.responder.providers.aws.adapter.identity import text_of
from stanch.responder.providers.aws.adapter.secret import holds_pair, rewritten

CREATE = "aws.iam.create_replacement_key"
PUT = "aws.secretsmanager.put_version"
PROMOTE = "aws.secretsmanager.promote_version"
DELETE = "aws.iam.delete_access_key"
FIND = "aws.secretsmanager.find_consumer"

Bench = Any  # conftest.py cannot be imported by name


def whose(bench: Bench) -> dict[str, str]:
    return {"user": bench.world.user, "secret": bench.world.secret_name}


def test_the_consumer_keeps_working_on_the_new_key_when_the_old_one_is_deleted(
    bench: Bench,
) -> None:
    bench.contain()
    bench.replace()
    bench.do(DELETE, **bench.deletion())
    proof = bench.dead()
    assert isinstance(proof, Verified)
    assert proof.claim is not None
    assert proof.claim.proven, proof.claim.sentence()
    assert proof.outputs["key"] == proof.outputs["session"] == "live"
    assert bench.world.consumer.work() == "alive"
    assert bench.world.attacker.try_key() == "InvalidAccessKeyId"
    assert bench.world.leaked.access_key_id not in bench.listed()
    for api in ("CreateAccessKey", "PutSecretValue", "UpdateSecretVersionStage", "DeleteAccessKey"):
        assert bench.count(api) == 1, api


def test_every_step_finds_its_own_work_when_it_starts_over(bench: Bench) -> None:
    bench.replace()
    secret = bench.world.secret_name
    assert isinstance(bench.observe(CREATE, **whose(bench)), Present)
    assert isinstance(bench.observe(PUT, secret=secret), Present)
    assert isinstance(bench.observe(PROMOTE, **bench.promotion()), Present)


def test_undo_in_reverse_order_leaves_the_account_as_it_was(bench: Bench) -> None:
    leaked = bench.world.leaked.access_key_id
    bench.contain()
    bench.replace()
    for name in (
        PROMOTE,
        PUT,
        CREATE,
        "aws.iam.deny_user_sessions",
        "aws.iam.disable_access_key",
    ):
        bench.undo(name)
    assert bench.listed() == {leaked: "Active"}
    assert bench.world.consumer.key().access_key_id == leaked
    assert bench.world.consumer.work() == "alive"
    described = bench.lab.client("secretsmanager").describe_secret(SecretId=bench.world.secret_name)
    assert "AWSPENDING" not in str(described["VersionIdsToStages"])


def test_a_key_whose_answer_was_lost_is_deleted_and_made_anew(bench: Bench) -> None:
    bench.lab.fault("iam:CreateAccessKey", "lost-answer")
    assert isinstance(bench.observe(CREATE, **whose(bench)), Absent)
    with pytest.raises(Retryable):
        bench.act(CREATE, **whose(bench))
    assert len(bench.listed()) == 2  # the orphan: nobody has its secret
    assert isinstance(bench.observe(CREATE, **whose(bench)), Absent)
    assert bench.act(CREATE, **whose(bench))["orphans_deleted"] == 1
    assert isinstance(bench.look(CREATE, **whose(bench)), Verified)
    assert len(bench.listed()) == 2


def test_without_room_for_a_second_key_the_leaked_one_goes_first(bench: Bench) -> None:
    other = bench.lab.client("iam").create_access_key(UserName=bench.world.user)["AccessKey"]
    bench.contain()
    bench.do(FIND, **whose(bench))
    bench.do(CREATE, **whose(bench))
    bench.do(PUT, secret=bench.world.secret_name)
    assert bench.out(CREATE, "key") == bench.out(PUT, "version") == ""
    step: Any = bench.steps[DELETE]
    [call] = step.calls(bench.typed(DELETE, **bench.deletion()), "AKIA…")
    assert "gets a new key afterwards" in str(call)
    bench.do(DELETE, **bench.deletion())
    bench.before.clear()
    bench.replace()
    assert other["AccessKeyId"] in bench.listed()
    assert bench.world.consumer.work() == "alive"


def test_a_key_that_somebody_made_by_hand_meanwhile_is_never_deleted(bench: Bench) -> None:
    """Not there when the intent was written, never used: and yet not ours."""
    bench.observe(CREATE, **whose(bench))
    looked = datetime.fromisoformat(str(bench.before[CREATE]["at"]))
    bench.before[CREATE] = {**bench.before[CREATE], "at": text_of(looked - timedelta(minutes=2))}
    made = bench.lab.client("iam").create_access_key(UserName=bench.world.user)["AccessKey"]
    bench.act(CREATE, **whose(bench))  # as the engine does when somebody responds again
    assert made["AccessKeyId"] in bench.listed()
    assert bench.count("DeleteAccessKey") == 0


def test_a_throttled_creation_makes_no_key_and_is_retried(bench: Bench) -> None:
    bench.lab.fault("iam:CreateAccessKey", "throttle")
    with pytest.raises(Retryable):
        bench.do(CREATE, **whose(bench))
    assert len(bench.listed()) == 1
    bench.do(CREATE, **whose(bench))
    assert len(bench.listed()) == 2


def test_a_version_whose_answer_was_lost_is_not_written_twice(bench: Bench) -> None:
    bench.do(CREATE, **whose(bench))
    secret = bench.world.secret_name
    bench.lab.fault("secretsmanager:PutSecretValue", "lost-answer", times=3)
    bench.observe(PUT, secret=secret)
    with pytest.raises(Retryable):
        bench.act(PUT, secret=secret)
    assert isinstance(bench.observe(PUT, secret=secret), Present)
    assert isinstance(bench.look(PUT, secret=secret), Verified)
    # Its evidence was lost with the answer: undo recognises the version by what it holds.
    bench.acted.clear()
    bench.done.pop(PUT)
    bench.undo(PUT)
    described = bench.lab.client("secretsmanager").describe_secret(SecretId=secret)
    assert "AWSPENDING" not in str(described["VersionIdsToStages"])


def test_other_fields_of_the_secret_survive_to_the_byte(bench: Bench) -> None:
    client = bench.lab.client("secretsmanager")
    leaked = bench.world.leaked
    escaped = leaked.secret.replace("/", "\\/")
    text = (
        '{"region": "eu-central-1",  "port": 1.0,\n '
        f'"aws_access_key_id": "{leaked.access_key_id}", "aws_secret_access_key": "{escaped}"}}'
    )
    client.put_secret_value(SecretId=bench.world.secret_name, SecretString=text)
    bench.replace()
    now = client.get_secret_value(SecretId=bench.world.secret_name)["SecretString"]
    assert now.startswith('{"region": "eu-central-1",  "port": 1.0,\n ')
    assert sorted(json.loads(now)) == sorted(json.loads(text))
    assert leaked.access_key_id not in now


def test_a_lone_key_id_replaces_the_neighbour_that_looks_like_its_secret(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(lone_id=True)
    bench.replace()
    assert bench.world.consumer.work() == "alive"
    assert bench.world.consumer.key().access_key_id != bench.world.leaked.access_key_id


def test_a_secret_that_cannot_be_rewritten_safely_is_left_to_a_person(bench: Bench) -> None:
    bench.do(CREATE, **whose(bench))
    pair = bench.safe.born["replacement"]
    new = type(bench.aws._own)(**pair)
    leaked = bench.world.leaked
    two = json.dumps({"id": leaked.access_key_id, "a": "A" * 40, "b": "B" * 40})
    for text in ("{}", "not json", two, leaked.access_key_id):
        with pytest.raises(StepFailed) as caught:
            rewritten(text, old_id=leaked.access_key_id, old_secret=None, new=new)
        assert leaked.access_key_id not in str(caught.value)
    ini = f"key = {leaked.access_key_id}\nsecret = {leaked.secret}\n"
    assert holds_pair(
        rewritten(ini, old_id=leaked.access_key_id, old_secret=leaked.secret, new=new), new
    )


@pytest.mark.parametrize("secret", ["", "no/such/secret", "payments/prod/database"])
def test_a_key_without_a_known_consumer_ends_dead_without_a_replacement(
    bench: Bench, secret: str
) -> None:
    user = bench.world.user
    bench.contain()
    assert bench.do(FIND, user=user, secret=secret).outputs["secret"] == ""
    bench.do(CREATE, user=user, secret="")
    bench.do(PUT, secret="")
    bench.do(PROMOTE, secret="", version="", previous="")
    step: Any = bench.steps[DELETE]
    params = {"user": user, "secret": "", "replacement": ""}
    [call] = step.calls(bench.typed(DELETE, **params), "AKIA…")
    assert "nobody gets a new key" in str(call)
    bench.do(DELETE, **params)
    verdict = bench.dead(secret="", version="")
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.proven
    assert bench.count("CreateAccessKey") == 0


def test_an_id_in_a_strangers_secret_is_no_consumer(make_bench: Callable[..., Bench]) -> None:
    """Who may write a secret could otherwise have a new key of any user written into it."""
    bench = make_bench(lone_id=True)
    bait = json.dumps({"id": bench.world.leaked.access_key_id, "key": "A" * 40})
    bench.lab.client("secretsmanager").create_secret(Name="mallory", SecretString=bait)
    possession = bench.do(
        "aws.secretsmanager.prove_possession", user=bench.world.user, secret="mallory"
    )
    assert possession.outputs == {"proven": "no"}
    found = bench.do(FIND, user=bench.world.user, secret="mallory", proven="no")
    assert found.outputs["secret"] == ""


def test_a_secret_that_holds_the_id_and_another_secret_key_is_no_consumer(bench: Bench) -> None:
    bait = json.dumps({"id": bench.world.leaked.access_key_id, "key": "A" * 40})
    bench.lab.client("secretsmanager").create_secret(Name="mallory", SecretString=bait)
    assert bench.do(FIND, user=bench.world.user, secret="mallory").outputs["secret"] == ""


def test_a_secret_changed_while_we_worked_is_not_promoted_over(bench: Bench) -> None:
    bench.do(CREATE, **whose(bench))
    bench.do(PUT, secret=bench.world.secret_name)
    promotion = bench.promotion()
    bench.lab.client("secretsmanager").put_secret_value(
        SecretId=bench.world.secret_name, SecretString='{"somebody": "else"}'
    )
    with pytest.raises(StepFailed, match="another current version"):
        bench.do(PROMOTE, **promotion)


def test_restoring_does_not_undo_what_somebody_wrote_since(bench: Bench) -> None:
    bench.replace()
    client = bench.lab.client("secretsmanager")
    client.put_secret_value(SecretId=bench.world.secret_name, SecretString='{"somebody": "else"}')
    with pytest.raises(StepFailed, match="newer version since"):
        bench.undo(PROMOTE)
    now = client.get_secret_value(SecretId=bench.world.secret_name)["SecretString"]
    assert now == '{"somebody": "else"}'


def test_a_key_that_was_enabled_again_is_not_deleted(bench: Bench) -> None:
    bench.replace()
    with pytest.raises(StepFailed, match="active again"):
        bench.do(DELETE, **bench.deletion())
    assert bench.world.leaked.access_key_id in bench.listed()


def test_a_key_is_not_deleted_when_the_consumer_lost_its_replacement(bench: Bench) -> None:
    bench.contain()
    bench.replace()
    bench.lab.client("secretsmanager").put_secret_value(
        SecretId=bench.world.secret_name, SecretString="{}"
    )
    with pytest.raises(StepFailed, match="no longer holds the replacement"):
        bench.do(DELETE, **bench.deletion())


def test_a_deletion_whose_answer_was_lost_is_seen_as_done(bench: Bench) -> None:
    bench.contain()
    bench.replace()
    params = bench.deletion()
    bench.lab.fault("iam:DeleteAccessKey", "lost-answer")
    assert isinstance(bench.observe(DELETE, **params), Absent)
    with pytest.raises(Retryable):
        bench.act(DELETE, **params)
    assert isinstance(bench.observe(DELETE, **params), Present)
    assert bench.world.leaked.access_key_id not in bench.listed()


def test_a_key_that_is_only_disabled_is_not_proven_dead(bench: Bench) -> None:
    bench.contain()
    bench.replace()
    verdict = bench.look(
        "aws.proof.dead",
        user=bench.world.user,
        secret=bench.world.secret_name,
        version=bench.out(PROMOTE, "version"),
    )
    assert isinstance(verdict, NotYet)
    assert "still lists" in verdict.why


def test_a_replacement_that_the_vault_has_forgotten_is_told_by_the_secrets_version(
    bench: Bench,
) -> None:
    bench.contain()
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    del bench.safe.born["replacement"]
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.outputs["replacement"] == "not tried"
    bench.lab.client("secretsmanager").put_secret_value(
        SecretId=bench.world.secret_name, SecretString="another"
    )
    assert isinstance(bench.dead(), Refuted)
