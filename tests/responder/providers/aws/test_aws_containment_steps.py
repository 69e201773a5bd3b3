"""Containment: seen before, seen after, taken back, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.step import Absent, NotYet, Present, Refuted, Verified
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.aws.steps.session_policy import document, policy_name
from stanch.scanner.model.secret import SecretValue

DISABLE = "aws.iam.disable_access_key"
DENY = "aws.iam.deny_user_sessions"
POLICY = "StanchDenyOlderSessions"

# The bench lives in conftest.py, which pytest does not let us import by name.
Bench = Any


def policy(bench: Bench) -> str:
    return policy_name(bench.world.leaked.access_key_id)


def test_a_disabled_key_is_seen_as_disabled_when_looked_at_again(bench: Bench) -> None:
    verdict = bench.do(DISABLE, user=bench.world.user)
    assert verdict.outputs == {"status": "Inactive"}
    assert isinstance(bench.observe(DISABLE, user=bench.world.user), Present)
    assert bench.count("UpdateAccessKey") == 1


def test_enabling_gives_back_what_disabling_took(bench: Bench) -> None:
    bench.do(DISABLE, user=bench.world.user)
    bench.undo(DISABLE)
    assert bench.listed() == {bench.world.leaked.access_key_id: "Active"}
    assert bench.world.attacker.try_key() == "alive"


def test_a_key_that_was_inactive_before_us_stays_inactive(bench: Bench) -> None:
    leaked = bench.world.leaked.access_key_id
    bench.lab.client("iam").update_access_key(
        UserName=bench.world.user, AccessKeyId=leaked, Status="Inactive"
    )
    bench.do(DISABLE, user=bench.world.user)
    bench.undo(DISABLE)
    assert bench.listed() == {leaked: "Inactive"}


def test_enabling_a_key_that_was_deleted_since_says_so(bench: Bench) -> None:
    bench.do(DISABLE, user=bench.world.user)
    bench.lab.client("iam").delete_access_key(
        UserName=bench.world.user, AccessKeyId=bench.world.leaked.access_key_id
    )
    with pytest.raises(StepFailed, match="deleted since"):
        bench.undo(DISABLE)


def test_a_lost_answer_is_found_as_done_by_the_next_look(bench: Bench) -> None:
    bench.lab.fault("iam:UpdateAccessKey", "lost-answer", times=3)
    assert isinstance(bench.observe(DISABLE, user=bench.world.user), Absent)
    with pytest.raises(Retryable):
        bench.act(DISABLE, user=bench.world.user)
    assert isinstance(bench.observe(DISABLE, user=bench.world.user), Present)


@pytest.mark.parametrize("mode", ["throttle", "error", "lost-request"])
def test_an_answer_that_will_pass_is_retried_by_the_engine_not_failed(
    bench: Bench, mode: str
) -> None:
    bench.lab.fault("iam:UpdateAccessKey", mode, times=3)
    with pytest.raises(Retryable) as caught:
        bench.do(DISABLE, user=bench.world.user)
    assert caught.value.after > timedelta(0)
    assert bench.world.leaked.access_key_id not in str(caught.value)


def test_a_denied_session_is_refused_while_the_long_term_key_is_not(bench: Bench) -> None:
    bench.world.attacker.mint()
    assert bench.world.attacker.try_session() == "alive"
    bench.do(DENY, user=bench.world.user)
    assert bench.world.attacker.try_session() == "AccessDenied"
    assert bench.world.attacker.try_key() == "alive"
    assert isinstance(bench.observe(DENY, user=bench.world.user), Present)


def test_allowing_sessions_removes_only_our_policy(bench: Bench) -> None:
    bench.world.attacker.mint()
    bench.do(DENY, user=bench.world.user)
    bench.undo(DENY)
    names = bench.lab.client("iam").list_user_policies(UserName=bench.world.user)["PolicyNames"]
    assert names == ["work"]
    assert bench.world.attacker.try_session() == "alive"


def test_a_policy_edited_since_is_not_removed(bench: Bench) -> None:
    bench.do(DENY, user=bench.world.user)
    edited = _somebodys_policy()
    iam = bench.lab.client("iam")
    iam.put_user_policy(
        UserName=bench.world.user, PolicyName=policy(bench), PolicyDocument=json.dumps(edited)
    )
    with pytest.raises(StepFailed, match="edited since"):
        bench.undo(DENY)
    found = iam.get_user_policy(UserName=bench.world.user, PolicyName=policy(bench))
    assert found["PolicyDocument"] == edited


def test_a_foreign_policy_of_our_name_is_not_overwritten(bench: Bench) -> None:
    bench.lab.client("iam").put_user_policy(
        UserName=bench.world.user,
        PolicyName=policy(bench),
        PolicyDocument=json.dumps(_somebodys_policy()),
    )
    with pytest.raises(StepFailed, match="not of our making"):
        bench.do(DENY, user=bench.world.user)


def test_an_older_deny_of_ours_comes_back_with_undo(bench: Bench) -> None:
    older = "2026-01-31T12:00:00Z"
    bench.lab.client("iam").put_user_policy(
        UserName=bench.world.user,
        PolicyName=policy(bench),
        PolicyDocument=json.dumps(document(older)),
    )
    assert bench.do(DENY, user=bench.world.user).outputs["cut"] > older
    bench.undo(DENY)
    found = bench.lab.client("iam").get_user_policy(
        UserName=bench.world.user, PolicyName=policy(bench)
    )
    cut = found["PolicyDocument"]["Statement"][0]["Condition"]["DateLessThan"]
    assert cut == {"aws:TokenIssueTime": older}


def test_contained_means_that_key_and_earlier_session_are_both_refused(bench: Bench) -> None:
    bench.contain()
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    assert (verdict.outputs["key"], verdict.outputs["session"]) == ("live", "live")
    assert "explicitly-denied" in str(verdict.evidence["session_seen"])


def test_a_key_is_not_contained_before_the_change_has_reached_everywhere(bench: Bench) -> None:
    bench.lab.set_propagation(timedelta(minutes=5))
    bench.contain()
    verdict = bench.refused()
    assert isinstance(verdict, NotYet)
    assert "still works" in verdict.why
    bench.lab.set_propagation(timedelta(0))  # settles everything
    assert isinstance(bench.refused(), Verified)


def test_a_disabled_key_with_a_living_session_is_not_contained(bench: Bench) -> None:
    bench.contain()
    bench.lab.client("iam").delete_user_policy(UserName=bench.world.user, PolicyName=policy(bench))
    verdict = bench.refused()
    assert isinstance(verdict, NotYet)
    assert "older sessions still work" in verdict.why


def test_a_lone_key_id_is_proven_contained_from_the_administrators_side(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(lone_id=True)
    bench.contain()
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    assert (verdict.outputs["key"], verdict.outputs["session"]) == ("admin", "admin")
    assert "explicitDeny" in str(verdict.evidence["session_seen"])


def test_without_a_deny_the_administrators_side_does_not_call_it_contained(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(lone_id=True)
    bench.contain()
    bench.undo(DENY)
    assert isinstance(bench.refused(), NotYet)


def test_probing_can_be_turned_off(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(probe=False)
    bench.contain()
    assert bench.out("aws.sts.probe_session", "session") == "no"
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    assert (verdict.outputs["key"], verdict.outputs["session"]) == ("admin", "admin")
    leaked = bench.world.leaked.access_key_id
    used = [c for c in bench.lab.calls(since=bench.seen) if c["access_key_id"] == leaked]
    assert used == []


@pytest.mark.parametrize("mode", ["throttle", "error", "lost-request", "lost-answer"])
def test_containment_does_not_wait_for_a_probe_that_cannot_be_minted(
    bench: Bench, mode: str
) -> None:
    bench.lab.fault("sts:GetSessionToken", mode)
    bench.contain()
    assert bench.out("aws.sts.probe_session", "session") == "no"
    assert isinstance(bench.refused(), Verified)


def test_a_probe_is_minted_once_whatever_is_repeated(bench: Bench) -> None:
    for _ in range(3):
        bench.do("aws.sts.probe_session", account=bench.lab.account_id, last_service="s3")
    assert bench.count("GetSessionToken") == 1


def test_a_strangers_key_is_never_tried(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(accounts=("999988887777",))
    assert isinstance(bench.look("aws.key.classify"), Refuted)
    verdict = bench.look("aws.iam.find_owner", account=bench.lab.account_id)
    assert isinstance(verdict, Refuted)
    bench.do("aws.sts.probe_session", account=bench.lab.account_id)
    assert bench.lab.calls(since=bench.seen) == ()


def test_a_snapshot_with_gaps_never_delays_containment(bench: Bench) -> None:
    bench.lab.fault("iam:ListMFADevices", "throttle", times=3)
    verdict = bench.do("aws.iam.snapshot_user", user=bench.world.user)
    assert "mfa_devices" in str(verdict.evidence["unread"])
    assert "work" in verdict.evidence["snapshot"]["inline_policies"]


def test_the_sessions_of_a_key_that_was_deleted_before_us_are_denied(bench: Bench) -> None:
    bench.world.attacker.mint()
    bench.lab.client("iam").delete_access_key(
        UserName=bench.world.user, AccessKeyId=bench.world.leaked.access_key_id
    )
    assert bench.world.attacker.try_session() == "alive"
    bench.contain()
    assert bench.out("aws.iam.find_owner", "user") == bench.world.user
    assert bench.out("aws.iam.find_owner", "status") == "absent"
    assert bench.world.attacker.try_session() == "AccessDenied"
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    dead = bench.dead()
    assert isinstance(dead, Verified)
    assert dead.claim is not None
    assert dead.claim.proven, dead.claim.sentence()


def test_a_key_that_nobody_ever_used_and_that_is_gone_is_proven_by_trying(bench: Bench) -> None:
    iam = bench.lab.client("iam")
    iam.create_user(UserName="short-lived")
    made = iam.create_access_key(UserName="short-lived")["AccessKey"]
    iam.delete_access_key(UserName="short-lived", AccessKeyId=made["AccessKeyId"])
    for part, name in (("access_key_id", "AccessKeyId"), ("secret_access_key", "SecretAccessKey")):
        bench.safe.leak[part] = SecretValue(made[name].encode())
    bench.contain(user="")
    verdict = bench.dead(user="")
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.proven, verdict.claim.sentence()


def test_our_own_identity_is_never_touched_by_a_report(bench: Bench) -> None:
    iam = bench.lab.client("iam")
    iam.create_user(UserName="stanch")
    iam.put_user_policy(
        UserName="stanch",
        PolicyName="all",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
            }
        ),
    )
    made = iam.create_access_key(UserName="stanch")["AccessKey"]
    pair = {
        "access_key_id": SecretValue(made["AccessKeyId"].encode()),
        "secret_access_key": SecretValue(made["SecretAccessKey"].encode()),
    }
    own = AwsClients(bench.aws.settings, own=Credentials(**pair))
    bench.steps = AWS.build(own)
    bench.safe.leak = {"access_key_id": pair["access_key_id"]}
    verdict = bench.look("aws.iam.find_owner", account=bench.lab.account_id)
    own.close()
    assert isinstance(verdict, Refuted)
    assert "own identity" in verdict.why


@pytest.mark.parametrize("how", ["tag", "pattern"])
def test_a_protected_user_is_known_as_such(make_bench: Callable[..., Bench], how: str) -> None:
    bench = make_bench(protected=("arn:aws:iam::*:user/ci-*",) if how == "pattern" else ())
    if how == "tag":
        bench.lab.client("iam").tag_user(
            UserName=bench.world.user, Tags=[{"Key": "stanch:protected", "Value": "yes"}]
        )
    found = bench.do("aws.iam.find_owner", account=bench.lab.account_id).outputs
    assert found["protected"] == "yes"


def test_two_leaked_keys_of_one_user_never_undo_each_others_deny(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench()
    bench.world.attacker.mint()
    bench.do(DENY, user=bench.world.user)
    first = dict(bench.safe.leak), dict(bench.before), dict(bench.done), dict(bench.acted)
    other = bench.lab.client("iam").create_access_key(UserName=bench.world.user)["AccessKey"]
    bench.safe.leak = {"access_key_id": SecretValue(other["AccessKeyId"].encode())}
    bench.before.clear()
    bench.do(DENY, user=bench.world.user)
    bench.undo(DENY)  # the second is taken back: the first stands
    assert bench.world.attacker.try_session() == "AccessDenied"
    bench.safe.leak, bench.before, bench.done, bench.acted = first
    assert isinstance(bench.look(DENY, user=bench.world.user), Verified)
    bench.undo(DENY)
    assert bench.world.attacker.try_session() == "alive"


def test_the_cut_is_read_from_the_clock_of_aws(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our clock is five minutes behind: sessions minted in them must be denied all the same."""
    bench.world.attacker.mint()
    slow = datetime.now(UTC) - timedelta(minutes=5)
    bench.starts[DENY] = slow
    monkeypatch.setattr(type(bench.context(DENY)), "now", lambda _self: slow)
    evidence = bench.do(DENY, user=bench.world.user)
    assert bench.world.attacker.try_session() == "AccessDenied"
    assert datetime.fromisoformat(str(evidence.outputs["cut"])) > datetime.now(UTC)
    assert bench.before[DENY]["skew_seconds"] == pytest.approx(-300, abs=5)


def test_a_lone_key_id_is_contained_only_when_iam_has_settled(
    make_bench: Callable[..., Bench],
) -> None:
    settle = timedelta(seconds=2)
    bench = make_bench(lone_id=True, settle=settle)
    bench.contain()
    assert isinstance(bench.refused(), NotYet)
    bench.starts["aws.proof.refused"] -= settle
    assert isinstance(bench.refused(), Verified)


def _somebodys_policy() -> dict[str, Any]:
    statement = {"Sid": POLICY, "Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_key_that_was_never_made_is_known_as_such_by_one_cheap_question(bench: Bench) -> None:
    leaked = bench.safe.leak["access_key_id"].reveal().decode()
    other = "A" if leaked[-1] != "A" else "B"
    assert bench.aws.exists(bench.safe.leak)
    assert not bench.aws.exists({"access_key_id": SecretValue((leaked[:-1] + other).encode())})
    assert bench.aws.exists({})  # the id is not known, so nobody can say
    signed = {call["access_key_id"] for call in bench.lab.calls(since=bench.seen)}
    assert leaked not in signed  # the credential itself is not used


def test_a_key_counts_as_real_while_aws_does_not_answer(bench: Bench) -> None:
    bench.lab.fault("iam:GetAccessKeyLastUsed", "throttle", times=1)
    assert bench.aws.exists(bench.safe.leak)


def test_a_key_that_a_person_disabled_after_we_were_throttled_is_not_ours(bench: Bench) -> None:
    bench.lab.fault("iam:UpdateAccessKey", "throttle", times=1)
    bench.observe(DISABLE, user=bench.world.user)
    with pytest.raises(Retryable) as throttled:
        bench.act(DISABLE, user=bench.world.user)
    assert throttled.value.refused


def test_a_lost_answer_may_have_changed_the_key(bench: Bench) -> None:
    bench.lab.fault("iam:UpdateAccessKey", "lost-answer", times=1)
    bench.observe(DISABLE, user=bench.world.user)
    with pytest.raises(Retryable) as lost:
        bench.act(DISABLE, user=bench.world.user)
    assert not lost.value.refused
