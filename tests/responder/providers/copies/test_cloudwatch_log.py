"""A stream of CloudWatch, against the lab's AWS: sealed, deleted whole, and seen to be gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from stanch.responder.domain.run import RunState
from stanch.responder.lab.aws import AwsLab
from stanch.responder.providers.copies import cloudwatch
from stanch.responder.providers.copies.cloudwatch import CloudwatchStream
from stanch.responder.providers.copies.keeper import There
from tests.responder.providers.copies.conftest import Office, in_log

GROUP, STREAM = "/aws/codebuild/app", "2024/01/[$LATEST]abc"
VALUE = b"c0rrect-h0rse-battery"


@pytest.fixture
def target(lab: AwsLab) -> str:
    logs = lab.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    for name in (STREAM, f"{STREAM}d"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=name,
            logEvents=[
                {"timestamp": int(time.time() * 1000), "message": f"login {VALUE.decode()}"}
            ],
        )
    return f"log:cloudwatch/{lab.region}/{GROUP}/{STREAM}"


def streams(lab: AwsLab) -> list[str]:
    listed = lab.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    return [each["logStreamName"] for each in listed]


def test_a_stream_is_deleted_and_its_neighbour_stays(
    office: Callable[[str], Office], lab: AwsLab, target: str
) -> None:
    room = office("")
    room.seen(in_log(target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert ask.calls[0] == f"logs:DeleteLogStream {lab.region}/{GROUP}/{STREAM}"
    assert "also those of other runs" in ask.calls[1]
    assert room.answer() is RunState.DONE
    assert streams(lab) == [f"{STREAM}d"]
    assert dict(room.card().facts)["Taken away"] == f"{target}: gone"


def test_a_protected_group_gives_up_no_stream(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = cloudwatch._found

    def protected(client: Any, name: str) -> Any:
        group, stream = found(client, name) or ({}, "")  # the lab knows no protection
        return {**group, "deletionProtectionEnabled": True}, stream

    monkeypatch.setattr(cloudwatch, "_found", protected)
    sight = CloudwatchStream().look(target)
    assert (sight.there, "protected" in sight.how) == (There.HELD, True)


def test_a_group_that_is_not_there_is_not_called_gone(target: str) -> None:
    assert CloudwatchStream().look(target.replace("codebuild", "other")).there is There.UNSEEN
    assert CloudwatchStream().look(f"{target}/x").there is There.NO
