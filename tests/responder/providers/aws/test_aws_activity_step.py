"""What the key did, without a secret in it and without our own attempts."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from stanch.responder.domain.claim import Standing
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.step import GoOn, NotYet, Verified
from stanch.responder.lab.aws.cast import outcome
from stanch.responder.lab.aws.client import Credentials, open_session
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.trail import Birth, parse
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.aws.steps import activity
from stanch.responder.providers.aws.steps.activity import FindActivity
from stanch.responder.providers.aws.steps.descent import Lineage
from stanch.responder.providers.aws.steps.lineage import heir_of
from stanch.responder.providers.aws.steps.search import FAILURES
from stanch.scanner.detectors.proof.token_generator import generate

ACTIVITY = "aws.cloudtrail.activity"

Bench = Any  # conftest.py cannot be imported by name


def test_the_attackers_calls_are_found_and_ours_are_counted_apart(bench: Bench) -> None:
    bench.world.attacker.intrude()
    bench.contain()
    bench.refused()
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    assert found["source_ips"][bench.world.attacker.source_ip] >= 6
    assert found["own"] >= 3  # the probe session: minted, worked, refused
    assert "127.0.0.1" not in found["source_ips"]
    assert found["denied"] == 2  # CreateUser, CreateAccessKey
    assert not found["truncated"]
    assert found["count"] == len(found["events"])


def test_what_an_earlier_run_of_ours_tried_is_ours_too(bench: Bench) -> None:
    bench.contain()
    bench.refused()
    bench.earlier, bench.run = (bench.run,), RunId(secrets.token_hex(13))
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    assert found["own"] >= 3
    assert "127.0.0.1" not in found["source_ips"]
    assert found["children"] == []


def test_a_session_born_from_the_key_is_followed(bench: Bench) -> None:
    bench.world.attacker.mint()
    bench.world.attacker.try_session()
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    [child] = found["children"]
    assert child.startswith("ASIA…")
    assert child.endswith("by sts:GetSessionToken")
    theirs = [e for e in found["events"] if e["ip"] == bench.world.attacker.source_ip]
    assert [event["api"] for event in theirs] == ["sts:GetSessionToken", "s3:ListBuckets"]


def test_a_role_session_is_followed_denied_and_covered(bench: Bench) -> None:
    """The thief assumed a role before we came: the key is dead, and its session is not."""
    honest, thief = assume(bench, "honest"), assume(bench, "thief", as_leaked=True)
    bench.contain()
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    assert works(bench, thief)
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    [gap] = verdict.claim.alive
    assert "session thief" in gap.what
    assert gap.until is not None
    assert not verdict.claim.proven
    assert verdict.claim.headline() == "DEAD, 1 BORN FROM IT ALIVE"
    bench.do("aws.iam.deny_role_sessions", user=bench.world.user, born=bench.born())
    assert not works(bench, thief)
    assert works(bench, honest)  # another session of the same role
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.proven, verdict.claim.sentence()
    bench.undo("aws.iam.deny_role_sessions")
    assert works(bench, thief)


def test_a_key_made_with_the_leaked_one_is_alive_until_it_is_disabled(bench: Bench) -> None:
    allow(bench, "iam:CreateAccessKey")
    iam = bench.lab.client("iam")
    iam.create_user(UserName="backdoor")
    made = bench.world.attacker._as(bench.world.leaked, "iam").create_access_key(
        UserName="backdoor"
    )["AccessKey"]
    bench.contain()
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    [gap] = verdict.claim.alive
    assert "of the user backdoor" in gap.what
    iam.update_access_key(UserName="backdoor", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.proven, verdict.claim.sentence()


def test_a_password_set_with_the_leaked_key_is_alive_until_it_is_gone(bench: Bench) -> None:
    allow(bench, "iam:CreateLoginProfile")
    iam = bench.lab.client("iam")
    iam.create_user(UserName="backdoor")
    bench.world.attacker._as(bench.world.leaked, "iam").create_login_profile(
        UserName="backdoor", Password=generate("{base62:20}", 3).decode()
    )
    bench.contain()
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    [gap] = verdict.claim.alive
    assert gap.what == "console password of the user backdoor by CreateLoginProfile"
    iam.delete_login_profile(UserName="backdoor")
    verdict = bench.dead()
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.proven, verdict.claim.sentence()


def event_of(api: str, asked: dict[str, str], answer: dict[str, Any] | None = None) -> Any:
    detail = {
        "requestParameters": asked,
        "responseElements": answer,
        "userIdentity": {"type": "IAMUser", "userName": "ci-deployer"},
    }
    return {
        "EventId": "e",
        "EventName": api,
        "EventTime": datetime.now(UTC),
        "EventSource": "iam.amazonaws.com",
        "CloudTrailEvent": json.dumps(detail),
    }


@pytest.mark.parametrize(
    ("event", "birth", "told"),
    [
        (event_of("UpdateLoginProfile", {}), Birth.SIGN_IN, "of the user ci-deployer by Update"),
        (
            event_of(
                "UpdateAccessKey",
                {"accessKeyId": "AKIAOLDKEY", "status": "Active", "userName": "o"},
            ),
            Birth.KEY,
            "of the user o",
        ),
        (event_of("UploadSSHPublicKey", {"userName": "o"}), Birth.OTHER, "UploadSSHPublicKey of o"),
        (
            event_of("AssumeRoot", {}, {"credentials": {"accessKeyId": "ASIAROOTSESSION"}}),
            Birth.OTHER,
            "by AssumeRoot",
        ),
    ],
)
def test_every_way_in_that_a_call_opens_is_born_from_the_key(
    event: Any, birth: Birth, told: str
) -> None:
    [child] = parse(event).born
    assert child.birth is birth
    assert told in str(heir_of(child))
    failed = json.loads(event["CloudTrailEvent"]) | {"errorCode": "AccessDenied"}
    assert parse(event | {"CloudTrailEvent": json.dumps(failed)}).born == ()


def test_a_key_that_is_disabled_opens_nothing() -> None:
    asked = {"accessKeyId": "AKIAOLDKEY", "status": "Inactive", "userName": "o"}
    assert parse(event_of("UpdateAccessKey", asked)).born == ()


def test_what_nobody_can_ask_about_keeps_a_claim_from_being_proven(bench: Bench) -> None:
    child = parse(event_of("UploadSSHPublicKey", {"userName": "o"})).born[0]
    born = msgspec.to_builtins((heir_of(child),))
    judged = Lineage(
        bench.aws, bench.context("aws.proof.dead"), user=bench.world.user, born=born
    ).judge()
    assert [gap.standing for gap in judged[1]] == [Standing.UNKNOWN]


def test_every_enabled_region_is_searched_and_named(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(regions=())
    far = open_session(bench.world.leaked, endpoint_url=bench.lab.endpoint_url, region="eu-west-1")
    far.client("sts").get_caller_identity()
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    assert {"eu-west-1", "us-east-1"} <= set(found["regions"])
    assert found["unread"] == []
    assert "sts:GetCallerIdentity" in found["apis"]


def test_the_trail_is_read_again_only_when_its_lag_is_over(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(lag=timedelta(minutes=15))
    contained = datetime.now(UTC)
    verdict = bench.look(ACTIVITY, user=bench.world.user, complete_after=contained.isoformat())
    assert isinstance(verdict, NotYet)
    assert verdict.until is not None
    assert verdict.until - contained == timedelta(minutes=15)
    long_ago = (contained - timedelta(minutes=16)).isoformat()
    found = bench.do(ACTIVITY, user=bench.world.user, complete_after=long_ago).outputs
    assert found["complete_until"] <= contained.isoformat()


def test_what_the_trail_may_still_deliver_is_not_covered(bench: Bench) -> None:
    bench.contain()
    bench.replace()
    bench.do("aws.iam.delete_access_key", **bench.deletion())
    verdict = bench.dead(contained_at="2026-01-31T12:00:00Z", complete_until="2026-01-31T11:50:00Z")
    assert isinstance(verdict, Verified)
    assert verdict.claim is not None
    assert verdict.claim.headline() == "DEAD, NOT PROVEN EVERYWHERE"
    assert "trail delivers late" in verdict.claim.sentence()


def assume(bench: Bench, name: str, *, as_leaked: bool = False) -> Any:
    """A session of the role ``deploy``."""
    iam = bench.lab.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(document))
        work = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam.put_role_policy(
            RoleName="deploy",
            PolicyName="work",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [work]}),
        )
    if as_leaked:
        allow(bench, "sts:AssumeRole")
    who = bench.world.leaked if as_leaked else None
    sts = bench.lab.client("sts", who) if who else bench.lab.client("sts")
    arn = f"arn:aws:iam::{bench.lab.account_id}:role/deploy"
    return sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]


def allow(bench: Bench, action: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    bench.lab.client("iam").put_user_policy(
        UserName=bench.world.user,
        PolicyName=f"allow-{action.replace(':', '-')}",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def works(bench: Bench, session: Any) -> bool:
    held = Credentials(
        access_key_id=session["AccessKeyId"],
        secret=session["SecretAccessKey"],
        token=session["SessionToken"],
    )
    return outcome(bench.lab.client("s3", held).list_buckets) == "alive"


def test_no_whole_key_id_is_in_what_the_step_reports(bench: Bench) -> None:
    bench.world.attacker.intrude()
    verdict = bench.do(ACTIVITY, user=bench.world.user)
    text = json.dumps([verdict.evidence, verdict.outputs])
    assert bench.world.leaked.access_key_id not in text
    assert bench.world.attacker.session.access_key_id not in text


def test_more_than_one_page_is_read(bench: Bench) -> None:
    for _ in range(60):
        bench.world.attacker.try_key()
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    assert found["apis"]["s3:ListBuckets"] >= 60
    assert bench.count("LookupEvents") >= 2


def test_a_trail_that_cannot_be_read_is_never_an_empty_trail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # botocore's own pauses between its attempts are not what is tested here.
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    bench.lab.fault("cloudtrail:LookupEvents", "throttle", times=6)
    verdict = bench.look(ACTIVITY, user=bench.world.user)
    assert isinstance(verdict, GoOn)
    assert verdict.after > timedelta(0)
    assert bench.do(ACTIVITY, user=bench.world.user).outputs["count"] > 0
    bench.lab.fault("cloudtrail:LookupEvents", "throttle", times=6 * FAILURES)
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    assert [place.partition(":")[0] for place in found["unread"]] == [bench.lab.region]
    assert (found["count"], found["regions"]) == (0, [])


def one_batch_a_try(bench: Bench) -> None:
    """A new worker, whose time is up after every batch of Regions."""
    bench.steps = {**AWS.build(bench.aws), ACTIVITY: FindActivity(bench.aws, count(0, 60).__next__)}


def asked(bench: Bench) -> Counter[str]:
    """How often each Region's trail was asked."""
    return Counter(call["region"] for call in bench.lab.calls("LookupEvents", since=bench.seen))


def test_a_worker_that_dies_halfway_is_followed_by_one_that_goes_on_at_its_region(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = {"us-east-1", "eu-west-1", "eu-central-1", "ap-south-1"}
    bench = make_bench(regions=tuple(sorted(regions)))
    bench.world.attacker.mint()
    monkeypatch.setattr(activity, "_AT_ONCE", 2)
    one_batch_a_try(bench)
    assert isinstance(bench.look(ACTIVITY, user=bench.world.user), GoOn)
    assert sum(asked(bench).values()) == 2

    with monkeypatch.context() as killed:
        killed.setattr(bench.aws, "await_turn", lambda _region: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            bench.look(ACTIVITY, user=bench.world.user)

    one_batch_a_try(bench)
    found = bench.do(ACTIVITY, user=bench.world.user)
    # Once for the key and once for its session, whose id is read anew from the event that bore it.
    more = asked(bench) - Counter(dict.fromkeys(regions, 2))
    assert (sum(more.values()), set(asked(bench))) == (1, regions)
    assert found.evidence["searched"] == 2
    assert bench.do(ACTIVITY, user=bench.world.user).outputs == {
        **found.outputs,
        "complete_until": bench.out(ACTIVITY, "complete_until"),
    }


def test_what_a_try_leaves_behind_names_no_key(bench: Bench) -> None:
    bench.world.attacker.mint()
    one_batch_a_try(bench)
    verdict = bench.look(ACTIVITY, user=bench.world.user)
    assert isinstance(verdict, GoOn)
    kept = json.dumps(verdict.cursor)
    assert bench.world.leaked.access_key_id not in kept
    assert bench.world.attacker.session.access_key_id not in kept


def test_runs_share_what_a_region_allows_and_accounts_do_not(
    make_bench: Callable[..., Bench],
) -> None:
    waited: list[float] = []
    settings = dataclasses.replace(make_bench().aws.settings, pace=timedelta(seconds=10))
    mine, other = (AwsClients(settings, sleep=waited.append) for _ in range(2))
    for aws, region in ((mine, "eu-west-1"), (other, "eu-west-1"), (mine, "us-east-1")):
        aws.await_turn(region)
    assert waited == []
    mine.await_turn("eu-west-1")
    assert waited == [pytest.approx(10, abs=1)]
    for aws in (mine, other):
        aws.close()


def test_hostile_text_in_an_event_becomes_one_bounded_line() -> None:
    detail = {"userAgent": "a\x1b[2J\n" + "b" * 900, "sourceIPAddress": 7, "errorCode": ["x"]}
    use = parse(
        {
            "EventId": "1",
            "EventTime": datetime.now(UTC),
            "EventName": "Get\nUser",
            "CloudTrailEvent": json.dumps(detail),
        }
    )
    assert use.agent.startswith("a?[2J?b")
    assert len(use.agent) <= 160
    assert (use.api, use.ip, use.outcome) == ("unknown:Get?User", "unknown", "unknown")


def test_an_event_that_is_not_json_is_still_counted() -> None:
    use = parse({"EventTime": datetime.now(UTC), "CloudTrailEvent": "{"})
    assert (use.ip, use.born, use.denied) == ("unknown", (), False)
