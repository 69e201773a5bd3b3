"""Numbers of the whole record, read on from where the last look ended."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stanch.responder.domain.timeline import Entry
from stanch.responder.telemetry.exposition import exposition
from stanch.responder.telemetry.tally import Tally

_PAGE = 1000  # entries read together


class Chained(Protocol):
    """What it reads of a store."""

    def head(self) -> Entry | None:
        """The newest entry."""

    def between(self, first: int, last: int) -> Sequence[Entry]:
        """The entries from ``first`` to ``last``, those two as well."""


@dataclass(slots=True, kw_only=True)
class Metering:
    """Counts each entry once. Every process counts the same, as all have one record."""

    store: Chained
    tally: Tally = field(default_factory=Tally)
    read: int = 0
    _one: threading.Lock = field(default_factory=threading.Lock)

    def text(self) -> str:
        """As Prometheus reads it; the first call after a start reads the whole record."""
        with self._one:
            head = self.store.head()
            last = head.seq if head else 0
            while self.read < last:
                page = self.store.between(self.read + 1, min(self.read + _PAGE, last))
                if not page:
                    break
                self.tally.add_all(entry.event for entry in page)
                self.read = page[-1].seq
            return exposition(self.tally, entries=self.read)
