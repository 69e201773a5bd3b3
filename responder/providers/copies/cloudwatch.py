"""CloudWatch Logs as a keeper: a stream goes whole, and a protected group gives none up.

With the AWS credentials of the process, as a scan of its logs asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import boto3
from botocore.config import Config

from stanch.responder.domain.error import StepFailed
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.copies.keeper import Sight, There

_DONE = 200


class CloudwatchStream:
    """A stream of a group; both names may have slashes."""

    loses: ClassVar[str] = (
        "all events of the stream go, also those of other runs; the group and what it exports stay"
    )

    def call(self, target: str) -> str:
        """The request; where the group's name ends AWS has to be asked."""
        return f"logs:DeleteLogStream {target.removeprefix('log:cloudwatch/')}"

    def look(self, target: str) -> Sight:
        """The stream in its group's list, and whether the group is protected."""
        with _client(target) as (client, name):
            found = _found(client, name)
            if found is None:
                return Sight(there=There.UNSEEN, how="CloudWatch lists no such group")
            group, stream = found
            if not _listed(client, group["logGroupName"], stream):
                return Sight(there=There.NO, how="CloudWatch lists the stream no more")
            if group.get("deletionProtectionEnabled"):
                return Sight(there=There.HELD, how="the group is protected from deletion")
            return Sight(there=There.YES, how="CloudWatch lists the stream")

    def delete(self, target: str) -> int:
        """200, or what refuses it."""
        with _client(target) as (client, name):
            found = _found(client, name)
            if found is None:
                return _DONE
            with calling("logs:DeleteLogStream"):
                client.delete_log_stream(
                    logGroupName=found[0]["logGroupName"], logStreamName=found[1]
                )
            return _DONE


@contextmanager
def _client(target: str) -> Iterator[tuple[Any, str]]:
    region, _, name = target.removeprefix("log:cloudwatch/").partition("/")
    if not name:
        raise StepFailed(f"{target} names no stream", remedy="delete it by hand")
    # boto3's stubs want one literal service; attempts are said, because its default changed.
    config = cast("Any", Config)(connect_timeout=5, read_timeout=15, retries={"mode": "standard"})
    with calling("logs:*"):
        client = cast("Any", boto3.Session()).client("logs", region_name=region, config=config)
    try:
        yield client, name
    except NotThere:
        raise StepFailed(f"{target} is not there", remedy="nothing is left to do") from None
    finally:
        client.close()


def _found(client: Any, name: str) -> tuple[dict[str, Any], str] | None:
    """The group, and the rest of the name, which is the stream: the longest name that is one."""
    parts = name.split("/")
    for cut in range(len(parts) - 1, 0, -1):
        wanted = "/".join(parts[:cut])
        if not wanted:
            break  # names may begin with a slash
        with calling("logs:DescribeLogGroups"):
            listed = client.describe_log_groups(logGroupNamePrefix=wanted)["logGroups"]
        for group in listed:
            if group["logGroupName"] == wanted:
                return group, "/".join(parts[cut:])
    return None


def _listed(client: Any, group: str, stream: str) -> bool:
    try:
        with calling("logs:DescribeLogStreams"):
            listed = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)
    except NotThere:
        return False
    return any(each["logStreamName"] == stream for each in listed["logStreams"])
