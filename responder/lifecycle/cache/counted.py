"""The record of reads from memory: the first at once, those like it counted.

A process that was given a value has it. That it looks at it again each time it connects somewhere
says nothing new, and a line on the disk for each would cost a thousand times what the read does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from stanch.responder.lifecycle.model.access import Access, AccessLog, Asker, Outcome
from stanch.responder.lifecycle.model.reference import Reference

_MOST = 4096


@dataclass(slots=True, kw_only=True)
class _Line:
    """What was recorded last of a kind, and how many came after it."""

    until: float
    last: Access
    more: int = 0


_Kind = tuple[Asker, Reference, Outcome, str, str]


class CountedLog:
    """Writes an access when nothing like it (asker, reason, secret, outcome, version) was written
    in the last ``every`` seconds; else counts it, and says the number in the next line or at the
    end.
    """  # noqa: D205  # one sentence

    def __init__(self, log: AccessLog, *, every: float, monotonic: Callable[[], float]) -> None:
        self._log = log
        self._every = every
        self._monotonic = monotonic
        self._lines: dict[_Kind, _Line] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def record(self, access: Access) -> None:
        """Write or count. Nothing is counted before the first like it is written."""
        kind = (access.asker, access.reference, access.outcome, access.source, access.version)
        if self._count(kind, access):
            return
        with self._writing:
            if self._count(kind, access):
                return
            with self._lock:
                line = self._lines.pop(kind, None)
                over = next(iter(self._lines)) if len(self._lines) >= _MOST else None
                dropped = self._lines.pop(over) if over is not None else None
            if dropped is not None and dropped.more:
                self._log.record(_last(dropped))
            self._log.record(_counted(access, line))
            with self._lock:
                self._lines[kind] = _Line(until=self._monotonic() + self._every, last=access)

    def _count(self, kind: _Kind, access: Access) -> bool:
        with self._lock:
            line = self._lines.get(kind)
            if line is None or self._monotonic() >= line.until:
                return False
            line.more += 1
            line.last = access
            return True

    def close(self) -> None:
        """Write what was counted and not said yet."""
        with self._lock:
            lines = [line for line in self._lines.values() if line.more]
            self._lines.clear()
        for line in lines:
            self._log.record(_last(line))


def _last(line: _Line) -> Access:
    """The last that was counted, as a line of its own."""
    return _counted(line.last, replace(line, more=line.more - 1))


def _counted(access: Access, line: _Line | None) -> Access:
    if line is None or not line.more:
        return access
    said = f"{line.more} more until {_time(line.last.at)}"
    return replace(access, detail=f"{access.detail}; {said}" if access.detail else said)


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S}"
