"""One look at a source: what it brings, and the cursor behind what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.watched import Source
from stanch.responder.watch.setting import Watched
from stanch.scanner.api import Gap, Match


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something to be read as a source of its own. ``hint``: what its host says of its last change.

    ``event`` is the id of who told us, where that is told once only.
    """

    kind: str
    subject: str
    hint: str = ""
    event: str = ""


Brought = Match | Gap | News


@dataclass(slots=True, kw_only=True)
class Sight:
    """A look under way: iterate once. The fields are true when ``results`` has ended.

    ``cursor`` is behind all that was read by then, also where not all could be. ``more``: there is
    more to read at once. ``listed``: the news are all that there is. ``done`` is called once what
    was brought is recorded.
    """

    results: Iterator[Brought]
    cursor: JsonObject
    more: bool = False
    owes: bool = False  # something goes on, and is read when it has ended
    listed: bool = False
    until: datetime | None = None  # the host wants to be left alone so long
    shifts: list[str] = field(default_factory=list)
    measured: JsonObject = field(default_factory=dict)
    done: Callable[[], None] = lambda: None


class Eye(Protocol):
    """Looks at the sources of one kind."""

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """Begin a look from the source's cursor."""
