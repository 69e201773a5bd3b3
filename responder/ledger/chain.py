"""The chain: each entry covers its event, its number and the entry before it."""

from __future__ import annotations

import hashlib
from datetime import UTC

from stanch.responder.domain.error import LedgerError
from stanch.responder.domain.json import canonical
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.ledger.seal import LedgerSeal

GENESIS = "0" * 64  # what the first entry names as its predecessor


class UnreadableEntryError(LedgerError):
    """A stored entry is not what any append writes; ``seq`` says which one."""

    def __init__(self, seq: int) -> None:
        super().__init__(
            f"ledger entry {seq} cannot be read",
            remedy="run `stanch audit verify`; restore the database from a backup",
        )
        self.seq = seq


def digest(event: Event, *, seq: int, previous: str) -> str:
    """SHA-256 (hex) over the canonical JSON of everything an entry says."""
    return hashlib.sha256(
        canonical(
            {
                "action": event.action,
                "actor": event.actor,
                "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "detail": event.detail,
                "incident": event.incident,
                "previous": previous,
                "seq": seq,
            }
        )
    ).hexdigest()


def link(event: Event, *, after: Entry | None, seal: LedgerSeal) -> Entry:
    """The entry for ``event`` that follows ``after`` (None: the first of all)."""
    seq = 1 if after is None else after.seq + 1
    previous = GENESIS if after is None else after.digest
    own = digest(event, seq=seq, previous=previous)
    return Entry(seq=seq, event=event, previous=previous, digest=own, mac=seal.mac(own))
