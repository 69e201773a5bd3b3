"""Containment: seen before, seen after, taken back, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.step import Absent, NotYet, Present, Refuted, Verified

DISABLE = "aws.iam.disable_access_key"
DENY = "aws.iam.deny_user_sessions"
POLICY = "StanchDenyOlderSessions"

# The bench lives in conftest.py, which pytest does not let us import by name.
Bench = Any


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
        UserName=bench.world.user, PolicyName=POLICY, PolicyDocument=json.dumps(edited)
    )
    with pytest.raises(StepFailed, match="edited since"):
        bench.undo(DENY)
    found = iam.get_user_policy(UserName=bench.world.user, PolicyName=POLICY)
    assert found["PolicyDocument"] == edited


def test_a_foreign_policy_of_our_name_is_not_overwritten(bench: Bench) -> None:
    bench.lab.client("iam").put_user_policy(
        UserName=bench.world.user,
        PolicyName=POLICY,
        PolicyDocument=json.dumps(_somebodys_policy()),
    )
    with pytest.raises(StepFailed, match="not of our making"):
        bench.do(DENY, user=bench.world.user)


def test_an_older_deny_of_ours_comes_back_with_undo(bench: Bench) -> None:
    older = bench.do(DENY, user=bench.world.user).outputs["cut"]
    bench.starts[DENY] += timedelta(minutes=5)
    bench.before.clear()
    newer = bench.do(DENY, user=bench.world.user).outputs["cut"]
    assert newer > older
    bench.undo(DENY)
    found = bench.lab.client("iam").get_user_policy(UserName=bench.world.user, PolicyName=POLICY)
    cut = found["PolicyDocument"]["Statement"][0]["Condition"]["DateLessThan"]
    assert cut == {"aws:TokenIssueTime": older}


def test_contained_means_that_key_and_earlier_session_are_both_refused(bench: Bench) -> None:
    bench.contain()
    verdict = bench.refused()
    assert isinstance(verdict, Verified)
    assert verdict.outputs == {"key": "live", "session": "live"}
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
    bench.lab.client("iam").delete_user_policy(UserName=bench.world.user, PolicyName=POLICY)
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
    assert verdict.outputs == {"key": "admin", "session": "admin"}
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
    assert verdict.outputs == {"key": "admin", "session": "admin"}
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


def test_the_owner_of_a_deleted_key_is_told_as_such(bench: Bench) -> None:
    bench.lab.client("iam").delete_access_key(
        UserName=bench.world.user, AccessKeyId=bench.world.leaked.access_key_id
    )
    verdict = bench.look("aws.iam.find_owner", account=bench.lab.account_id)
    assert isinstance(verdict, Refuted)
    assert "deleted already" in verdict.why


def _somebodys_policy() -> dict[str, Any]:
    statement = {"Sid": POLICY, "Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
