"""Which findings are taken in first: made-up keys must not hold a real one up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Store
from stanch.responder.domain.run import RunState
from stanch.scanner.model.finding import Match

FEW = 3  # that many are taken in as they come: one leak does not wait for a look
LOOKS = 8  # at a time
PATIENCE = 2.0  # seconds for one look; what is not known by then is taken for real
HELD = 10.0  # seconds that what does not exist waits at most for what does
_POLL = 0.05


@dataclass(slots=True, kw_only=True)
class Triage:
    """Takes findings in as they are found, except for those that do not exist.

    Whoever may write to a repository can put any number of keys in front of the real one; each
    costs an incident and a run. Whether a key exists is one cheap question to its provider, and
    many of them are asked at once. What does not exist is handed back, when all else is contained.
    """

    store: Store
    exists: Callable[[Match], bool]
    receive: Callable[[Match], IncidentId]

    _seen: set[str] = field(default_factory=set)
    _real: list[IncidentId] = field(default_factory=list)
    _later: list[Match] = field(default_factory=list)

    def take(self, matches: Iterable[Match]) -> list[Match]:
        """Take them in, in the order found; raises what taking in raises.

        Returns those that do not exist, once containment of the others was asked for.
        """
        lookers, taker = ThreadPoolExecutor(LOOKS), ThreadPoolExecutor(1)
        try:
            taken: list[Future[None]] = []
            for match in matches:
                taken.append(taker.submit(self._one, match, self._look(match, lookers)))
                if taken[0].done():
                    taken.pop(0).result()
            for each in taken:
                each.result()
        finally:
            for pool in (lookers, taker):
                pool.shutdown(wait=True, cancel_futures=True)
        self._await_containment()
        return self._later

    def _look(self, match: Match, lookers: ThreadPoolExecutor) -> Future[bool] | None:
        """None for the first few: nobody has to look."""
        self._seen.add(match.finding.fingerprint)
        return lookers.submit(self.exists, match) if len(self._seen) > FEW else None

    def _one(self, match: Match, look: Future[bool] | None) -> None:
        try:
            real = look is None or look.result(timeout=PATIENCE)
        except TimeoutError:
            real = True
        if real:
            self._real.append(self.receive(match))
        else:
            self._later.append(match)

    def _await_containment(self) -> None:
        """Until containment has been asked for what exists, or waits for something else."""
        limit = time.monotonic() + HELD
        while self._later and self._hurries() and time.monotonic() < limit:
            time.sleep(_POLL)

    def _hurries(self) -> bool:
        with self.store.snapshot() as tx:
            for number in set(self._real):
                incident, run = tx.incidents.get(number), tx.runs.active(number)
                asked = incident is None or incident.containment_requested_at is not None
                if not asked and run is not None and run.state is RunState.RUNNING:
                    return True
        return False
