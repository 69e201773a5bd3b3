"""What the key did, without a secret in it and without our own attempts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable
from stanch.responder.providers.aws.adapter.trail import parse

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


def test_a_session_born_from_the_key_is_followed(bench: Bench) -> None:
    bench.world.attacker.mint()
    bench.world.attacker.try_session()
    found = bench.do(ACTIVITY, user=bench.world.user).outputs
    [child] = found["children"]
    assert child.startswith("ASIA…")
    assert child.endswith("by sts:GetSessionToken")
    theirs = [e for e in found["events"] if e["ip"] == bench.world.attacker.source_ip]
    assert [event["api"] for event in theirs] == ["sts:GetSessionToken", "s3:ListBuckets"]


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
    bench.lab.fault("cloudtrail:LookupEvents", "throttle", times=10)
    with pytest.raises(Retryable):
        bench.do(ACTIVITY, user=bench.world.user)


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
