"""The phases one after another; each is on the record before the next one begins."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from stanch.responder.lifecycle.migration.guard import Guard
from stanch.responder.lifecycle.migration.listing import Listing
from stanch.responder.lifecycle.migration.plan import (
    TAKEN,
    Judge,
    Plan,
    Verdict,
    Wishes,
    make_plan,
)
from stanch.responder.lifecycle.migration.proof import Prover
from stanch.responder.lifecycle.migration.result import Journal, Kept, Phase, Result, State
from stanch.responder.lifecycle.migration.write import Writer
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.model.segregation import Place

Check = Callable[[Plan], Result]
_UNWRITTEN = frozenset({Verdict.CREATE, Verdict.REPLACE})


def migration_id(place: Place, store: str, paths: Iterable[Path]) -> str:
    """The same files into the same place are the same migration."""
    said = (place.service, str(place.environment), store, *sorted(str(p.resolve()) for p in paths))
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How far to go. ``again``: repeat what an earlier run has done."""

    apply: bool = False
    guard: bool = False
    again: bool = False
    slo: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration. ``check`` runs the application's own check; None when none was named.

    ``terms``: what a phase's result holds for beside the plan, such as as whom was read.
    """

    id: str
    listings: tuple[Listing, ...]
    judge: Judge
    wishes: Wishes
    prover: Prover
    guard: Guard
    check: Check | None
    journal: Journal
    terms: Mapping[Phase, str]

    def run(self, orders: Orders) -> Iterator[Result]:
        """Results as they come; a phase that is not done ends it. A dry run writes nothing."""
        kept = self.journal.kept(self.id)
        plan = make_plan(self.listings, self.judge, self.wishes, kept.written)
        planned = plan.result()
        if orders.apply:
            self.journal.keep(self.id, plan.digest, planned)
        yield planned
        silent = any(row.verdict is Verdict.UNKNOWN for row in plan.rows)
        if not orders.apply or silent or planned.state is State.FAILED:
            return
        anew = orders.again or any(row.verdict in _UNWRITTEN for row in plan.rows)
        for phase, work in self._phases(plan, kept, orders):
            digest = f"{plan.digest}:{self.terms.get(phase, '')}"
            if phase is Phase.GUARD:
                anew = True  # a file that has come back is looked at again
            result = None if anew else _before(kept, phase, digest)
            if result is None:
                anew = True  # what follows rests on it
                result = work()
                self.journal.keep(self.id, digest, result)
            yield result
            if result.state in {State.FAILED, State.INCOMPLETE}:
                return

    def _phases(
        self, plan: Plan, kept: Kept, orders: Orders
    ) -> Iterator[tuple[Phase, Callable[[], Result]]]:
        wanted = _wanted(plan)
        judge = self.judge
        writer = Writer(
            store=judge.store, fingerprint=judge.fingerprint, opened=judge.opened, token=self.id
        )
        yield Phase.WRITE, lambda: _all_written(writer.write(plan.moves()), kept)
        yield Phase.VALIDATE, lambda: self.prover.validate(wanted)
        yield Phase.CONSISTENCY, lambda: self.prover.consistency(wanted)
        yield Phase.CHECK, lambda: self._checked(plan)
        yield Phase.PERFORMANCE, lambda: self.prover.performance(list(wanted), orders.slo)
        if orders.guard:  # the last: everything before it is done
            yield Phase.GUARD, lambda: self.guard.close(self.listings, plan.rows)

    def _checked(self, plan: Plan) -> Result:
        if self.check is None:
            return Result(
                phase=Phase.CHECK, state=State.SKIPPED, summary="no --check was named: not known"
            )
        return self.check(plan)


def _all_written(result: Result, kept: Kept) -> Result:
    """Also what an earlier run wrote: its references stand in files that are replaced already."""
    now = {line.reference for line in result.lines}
    earlier = kept.results.get(Phase.WRITE)
    if earlier is None:
        return result
    old = tuple(line for line in earlier[1].lines if line.reference not in now and line.fingerprint)
    return replace(result, lines=(*result.lines, *old))


def _before(kept: Kept, phase: Phase, digest: str) -> Result | None:
    """What an earlier run came to for this very plan, where it need not be repeated."""
    found, result = kept.results.get(phase, ("", None))
    return result if result and found == digest and result.state is State.DONE else None


def _wanted(plan: Plan) -> dict[Reference, str]:
    prints = {row.reference: row.fingerprint for row in plan.rows if row.verdict in TAKEN}
    return {reference: prints[reference] for reference in plan.references()}
