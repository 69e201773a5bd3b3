"""Which findings are answered without a question, and which are left to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stanch.responder.domain.ports import Store
from stanch.responder.domain.runbook import Runbook, runbook_for
from stanch.responder.services.recognising import known_fingerprints
from stanch.scanner.api import Confidence
from stanch.scanner.model.finding import Finding

AT_ONCE = 20  # credentials that are answered without a question


@dataclass(slots=True, kw_only=True)
class Sureness:
    """Judges the findings of one search.

    No number of findings keeps us from one that we can contain ourselves: whoever may write to the
    repository could put that many in front of it.
    """

    store: Store
    runbooks: Mapping[str, Runbook]
    _by_hand: set[str] = field(default_factory=set)
    _inventory: frozenset[str] | None = None

    def sure(self, found: Finding) -> bool:
        """What is known already, or found with confidence and not too much for people.

        Known is what has an incident, and what is the value of a secret of the inventory.
        """
        with self.store.snapshot() as tx:
            if tx.incidents.by_fingerprint(found.fingerprint) is not None:
                return True
            if self._inventory is None:
                self._inventory = known_fingerprints(tx)
        if found.fingerprint in self._inventory:
            return True
        if found.confidence is not Confidence.HIGH:
            return False
        runbook = runbook_for(self.runbooks.values(), found.provider, found.kind)
        if runbook is not None and not runbook.catches_all:
            return True
        self._by_hand.add(found.fingerprint)
        return len(self._by_hand) <= AT_ONCE
