from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stanch.responder.lab.aws import World

Refusal = Callable[[Callable[[], object]], tuple[str, str]]


def _lookup(world: World, **attribute: str) -> list[dict[str, Any]]:
    asked = [{"AttributeKey": key, "AttributeValue": value} for key, value in attribute.items()]
    found = world.lab.client("cloudtrail").lookup_events(LookupAttributes=asked)
    return [event | {"Detail": json.loads(event["CloudTrailEvent"])} for event in found["Events"]]


def test_every_call_of_a_key_is_found_newest_first_by_its_own_name(world: World) -> None:
    world.attacker.intrude()
    events = _lookup(world, AccessKeyId=world.leaked.access_key_id)
    assert [event["EventName"] for event in events[:6]] == [
        "CreateAccessKey",
        "CreateUser",
        "GetSessionToken",
        "ListSecrets",
        "ListBuckets",
        "GetCallerIdentity",
    ]
    assert {event["EventSource"] for event in events} == {
        "iam.amazonaws.com",
        "s3.amazonaws.com",
        "secretsmanager.amazonaws.com",
        "sts.amazonaws.com",
    }


def test_denied_calls_are_recorded_with_their_error(world: World) -> None:
    world.attacker.intrude()
    (event,) = _lookup(world, EventName="CreateUser")[:1]
    assert event["Detail"]["errorCode"] == "AccessDenied"
    assert "not authorized to perform: iam:CreateUser" in event["Detail"]["errorMessage"]
    assert event["Detail"]["requestParameters"] == {"userName": "support-backup"}


def test_events_name_the_user_not_the_key(world: World) -> None:
    world.attacker.try_key()
    (event,) = _lookup(world, Username=world.user)[:1]
    identity = event["Detail"]["userIdentity"]
    assert event["Username"] == world.user
    assert event["AccessKeyId"] == world.leaked.access_key_id
    assert identity["type"] == "IAMUser"
    assert identity["userName"] == world.user
    assert identity["arn"] == f"arn:aws:iam::{world.lab.account_id}:user/{world.user}"
    assert identity["principalId"].startswith("AIDA")


def test_events_name_address_and_agent_of_the_caller(world: World) -> None:
    world.attacker.try_key()
    hostile, ours = _lookup(world, AccessKeyId=world.leaked.access_key_id)[:2]
    assert hostile["Detail"]["sourceIPAddress"] == world.attacker.source_ip
    assert hostile["Detail"]["userAgent"] == world.attacker.user_agent
    assert ours["Detail"]["sourceIPAddress"] == world.consumer.source_ip
    assert ours["Detail"]["userAgent"] == world.consumer.user_agent


def test_a_session_is_followed_from_its_mint_to_its_calls(world: World) -> None:
    world.attacker.mint()
    world.attacker.try_session()
    (mint,) = _lookup(world, EventName="GetSessionToken")
    child = mint["Detail"]["responseElements"]["credentials"]["accessKeyId"]
    (used,) = _lookup(world, AccessKeyId=child)
    assert used["EventName"] == "ListBuckets"
    assert used["Username"] == world.user
    context = used["Detail"]["userIdentity"]["sessionContext"]
    assert context["attributes"]["mfaAuthenticated"] == "false"


def test_a_role_session_is_followed_to_its_role(world: World) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": f"arn:aws:iam::{world.lab.account_id}:root"},
            }
        ],
    }
    role = world.lab.client("iam").create_role(
        RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]
    born = world.lab.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night")
    session = world.lab.session(
        type(world.leaked)(
            access_key_id=born["Credentials"]["AccessKeyId"],
            secret=born["Credentials"]["SecretAccessKey"],
            token=born["Credentials"]["SessionToken"],
        )
    )
    sts = session.client("sts")
    sts.get_caller_identity()
    sts.close()
    (assumed,) = _lookup(world, EventName="AssumeRole")
    child = assumed["Detail"]["responseElements"]["credentials"]["accessKeyId"]
    (used,) = _lookup(world, AccessKeyId=child)
    assert used["Username"] == "night"
    issuer = used["Detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert (issuer["userName"], issuer["arn"]) == ("deploy", role["Arn"])


def test_a_created_key_is_named_without_its_secret(world: World) -> None:
    made = world.lab.client("iam").create_access_key(UserName=world.user)["AccessKey"]
    event = _lookup(world, EventName="CreateAccessKey")[0]
    assert event["Detail"]["responseElements"]["accessKey"]["accessKeyId"] == made["AccessKeyId"]
    assert made["SecretAccessKey"] not in event["CloudTrailEvent"]


def test_secret_values_are_not_in_the_trail(world: World) -> None:
    world.lab.client("secretsmanager").put_secret_value(
        SecretId=world.secret_name, SecretString="planted-value"
    )
    event = _lookup(world, EventName="PutSecretValue")[0]
    assert "planted-value" not in event["CloudTrailEvent"]
    assert event["Detail"]["requestParameters"]["secretId"] == world.secret_name


def test_object_reads_and_failed_signatures_are_not_in_the_event_history(world: World) -> None:
    world.consumer.work()
    world.lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id, Status="Inactive"
    )
    before = _lookup(world, AccessKeyId=world.leaked.access_key_id)
    assert world.attacker.try_key() == "InvalidAccessKeyId"
    after = _lookup(world, AccessKeyId=world.leaked.access_key_id)
    assert len(before) == len(after)
    assert {event["EventName"] for event in after} == {"ListBuckets"}


def test_pages_join_to_the_whole_without_gaps_or_repeats(world: World) -> None:
    for _ in range(7):
        world.attacker.try_key()
    cloudtrail = world.lab.client("cloudtrail")
    asked = {
        "LookupAttributes": [
            {"AttributeKey": "AccessKeyId", "AttributeValue": world.leaked.access_key_id}
        ]
    }
    whole = [event["EventId"] for event in cloudtrail.lookup_events(**asked)["Events"]]
    paged: list[str] = []
    token: dict[str, str] = {}
    pages = 0
    while True:
        page = cloudtrail.lookup_events(**asked, MaxResults=3, **token)
        paged += [event["EventId"] for event in page["Events"]]
        pages += 1
        world.attacker.try_key()  # new events must not shift the pages
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert paged == whole
    assert pages == 3


def test_a_token_of_another_request_is_refused(world: World, refusal: Refusal) -> None:
    cloudtrail = world.lab.client("cloudtrail")
    token = cloudtrail.lookup_events(MaxResults=1)["NextToken"]
    other = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    for wrong in (
        lambda: cloudtrail.lookup_events(LookupAttributes=other, NextToken=token),
        lambda: cloudtrail.lookup_events(NextToken="garbage"),
    ):
        assert refusal(wrong)[0] == "InvalidNextTokenException"


def test_only_one_attribute_may_be_asked_for(world: World, refusal: Refusal) -> None:
    code, _ = refusal(lambda: _lookup(world, EventName="CreateUser", Username="someone"))
    assert code == "InvalidLookupAttributesException"


def test_the_time_range_limits_what_is_found(world: World, refusal: Refusal) -> None:
    cloudtrail = world.lab.client("cloudtrail")
    now = datetime.now(UTC)
    past, future = now - timedelta(hours=1), now + timedelta(hours=1)
    assert cloudtrail.lookup_events(StartTime=past, EndTime=future)["Events"]
    assert not cloudtrail.lookup_events(StartTime=past - timedelta(hours=1), EndTime=past)["Events"]
    code, _ = refusal(lambda: cloudtrail.lookup_events(StartTime=future, EndTime=past))
    assert code == "InvalidTimeRangeException"


def test_regions_keep_their_own_events_and_iam_is_in_the_first(world: World) -> None:
    elsewhere = world.lab.session().client("secretsmanager", region_name="eu-west-1")
    elsewhere.list_secrets()
    elsewhere.close()
    names = [event["EventName"] for event in _lookup(world)]
    trail = world.lab.session().client("cloudtrail", region_name="eu-west-1")
    there = [event["EventName"] for event in trail.lookup_events()["Events"]]
    trail.close()
    assert there == ["ListSecrets"]
    assert "CreateUser" in names
    assert "ListSecrets" not in names


def test_events_are_hidden_until_the_lag_has_passed(world: World) -> None:
    world.lab.set_trail_lag(timedelta(minutes=10))
    assert not _lookup(world, AccessKeyId=world.leaked.access_key_id)
    world.lab.set_trail_lag(timedelta(0))
    assert _lookup(world, AccessKeyId=world.leaked.access_key_id)


@pytest.mark.parametrize("size", [0, 51])
def test_a_page_has_one_to_fifty_events(world: World, size: int) -> None:
    with pytest.raises(Exception, match="MaxResults"):
        world.lab.client("cloudtrail").lookup_events(MaxResults=size)
