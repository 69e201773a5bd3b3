"""What is new in a log group of CloudWatch since an earlier look, stream by stream.

Of each stream the token behind the last event is kept. AWS may be an hour late to say that a stream
has new events, so every stream with any in the last two hours is asked again, which costs a call.
A token lives a day; behind an older one events are read by their time, some of them once more.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.log.seen import MOST, Seen
from stanch.scanner.sources.log.source import Log
from stanch.scanner.sources.source import Milestone

Listing = Iterator[Log | Gap | Milestone]
Place = Callable[[str], InLog]
Reads = Callable[[str, dict[str, Any]], io.RawIOBase]
"""Opens a stream behind what is kept of it, and changes that while it is read."""

_EVENTUAL = 2 * 3600 * 1000  # milliseconds
_FORGOTTEN = 14 * 24 * 3600 * 1000  # AWS takes no older events
_FIRST = 50  # streams of a first look


def news(client: Any, group: str, seen: Seen, place: Place, reads: Reads) -> Listing:
    """The logs of a group that may hold something new."""
    began = int(time.time() * 1000)
    kept = seen.streams
    first = "at" not in kept
    if first:
        kept.update(of={}, owed=[], begin=began if seen.behind else 0)
    for number, name in enumerate(_active(client, group, kept.get("at", 0))):
        if number == (_FIRST if first else MOST):
            why = f"only the {number} streams with the newest events are read"
            yield Gap(path=display(group), why=why, incomplete=True, lasting=True)
            break
        if first and seen.behind:
            continue
        yield from _one(kept, name, place, reads)
    for name in list(kept["owed"]):
        yield from _one(kept, name, place, reads)

    def listed(_: bool) -> None:  # noqa: FBT001  # what a milestone says
        kept["at"] = began
        old = began - _FORGOTTEN
        kept["of"] = {name: each for name, each in kept["of"].items() if each["at"] > old}

    yield Milestone(done=0, over=listed)


def _active(client: Any, group: str, at: int) -> Iterator[str]:
    """Streams by their newest event; those without any for long end the list."""
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group, orderBy="LastEventTime", descending=True
    )
    for page in pages:
        active = [
            each["logStreamName"]
            for each in page["logStreams"]
            if max(each.get(key, 0) for key in _TIMES) >= at - _EVENTUAL
        ]
        if not active:
            return
        yield from active


_TIMES = ("lastEventTimestamp", "lastIngestionTime", "creationTime")


def _one(kept: dict[str, Any], name: str, place: Place, reads: Reads) -> Listing:
    before = kept["of"].get(name) or {"token": "", "line": 0, "at": kept["begin"]}
    after = dict(before)

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        after.update(before)
        with io.BufferedReader(reads(name, after)) as file:
            yield file

    def over(whole: bool) -> None:  # noqa: FBT001  # what a milestone says
        kept["owed"] = [each for each in kept["owed"] if each != name]
        if whole:
            kept["of"][name] = after
        else:
            kept["owed"].append(name)

    opens: Callable[[], AbstractContextManager[IO[bytes]]] = opened
    yield Milestone(done=0)
    yield Log(place=place(name), open=opens, first_line=before["line"] + 1)
    yield Milestone(done=0, over=over)
