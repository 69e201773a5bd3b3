"""The masked copies of logs that were deleted where they were kept, for whoever wants to read."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId, SealedRef, label
from stanch.responder.domain.ports import Store, Vault
from stanch.responder.domain.sealed_log import MASKED, SealedLog

_ABOUT, _TEXT = "about", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """One copy: what it is of, and where it lies."""

    log: SealedLog
    ref: SealedRef


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLogs:
    """Opens masked copies alone; that it did is on the record."""

    store: Store
    vault: Vault

    def of(self, incident: IncidentId, *, by: Caller) -> tuple[Readable, ...]:
        """Those of an incident, each log once, the newest copy of it."""
        with self.store.snapshot() as tx:
            kept = [each for each in tx.envelopes.of(incident) if each.name.startswith(MASKED)]
        found: dict[str, Readable] = {}
        for each in kept:
            purpose = f"{label(incident)}: which logs were sealed"
            about = self.vault.open(each.ref, _ABOUT, actor=by.actor, purpose=purpose)
            log = SealedLog.read(about.reveal())
            found[log.target] = Readable(log=log, ref=each.ref)
        return tuple(found.values())

    def text(self, incident: IncidentId, copy: Readable, *, by: Caller) -> bytes:
        """The log without what the rules find in it."""
        purpose = f"{label(incident)}: to read the masked copy of {copy.log.target}"
        packed = self.vault.open(copy.ref, _TEXT, actor=by.actor, purpose=purpose)
        return gzip.decompress(packed.reveal())
