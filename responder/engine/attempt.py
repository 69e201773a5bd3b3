"""One attempt at one step: intend, observe, act, verify, record.

A worker may be killed between any two lines. What is durable at each point:

1. the intent, with the claim, before anything is looked at;
2. that the effect was absent, and what was there instead, and that the lease is still ours,
   before the act;
3. that the act was answered;
4. the verified outcome, together with what it means for the incident.

An attempt that starts over looks first (``observe``), so an act whose answer was lost is not
repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from stanch.responder.domain.error import (
    LeaseLost,
    LedgerError,
    Retryable,
    StanchError,
    StoreError,
)
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Store, Vault
from stanch.responder.domain.run import Run, RunKind, StepRun
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.status import STRANGER
from stanch.responder.domain.step import (
    BY,
    SOMEBODY,
    Absent,
    Change,
    GoOn,
    NotYet,
    Present,
    Refuted,
    Step,
    Verdict,
    Verified,
)
from stanch.responder.engine.context import Access, Context
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress, Then
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

# How long the world may take to show an effect before a person must look.
SETTLE_LIMIT = timedelta(minutes=5)
# How long to wait at most between two looks at a world that usually settles in seconds.
LONGEST_LOOK = timedelta(seconds=2)
# Throttled or unreachable this many times in a row: a person must look.
MAX_TRIES = 30
# What containment needs is tried again by itself although a person was called.
WAKE = timedelta(minutes=5)
# A store that is busy or away for a moment is no reason to give up.
STORE_PAUSE = timedelta(seconds=1)
LONGEST_STORE_PAUSE = timedelta(minutes=1)

Trace = Callable[[str, str], None]  # (step id, boundary); tests crash here


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed step with everything that an attempt needs to know."""

    incident: Incident
    run: Run
    runbook: Runbook
    step: StepRun
    params: JsonObject
    born_in: tuple[RunId, ...]
    limit: timedelta | None = None  # the step's `timeout:`

    @property
    def contains(self) -> bool:
        """Whether containment, or taking it back, waits for this step: it does not give up."""
        return self.run.kind is RunKind.UNDO or self.step.id in self.runbook.containing


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Runs jobs. Stateless: everything it learns is written to the store."""

    store: Store
    vault: Vault
    planner: Planner
    progress: Progress
    trace: Trace

    def run(self, job: Job, leases: Leases, then: Then[Job]) -> list[Job]:
        """Bring the step as far as it goes now; what ``then`` finds to do once it is done.

        Writes the result; raises only LeaseLost.
        """
        step = self.planner.steps[job.step.uses]
        row = job.step
        opened = set(row.opened)
        self.trace(row.id, "intended")
        try:
            verdict, row = self._work(step, job, row, leases, opened)
        except Retryable as error:
            self._retry(job, self._durable(row, opened), str(error), error.after)
        except StoreError as error:
            # Never final, and rarer each time: what a person would do is mend the store.
            pause = min(STORE_PAUSE * (row.tries + 1), LONGEST_STORE_PAUSE)
            self.progress.again(self._durable(row, opened), str(error), pause)
        except (LeaseLost, LedgerError):
            raise
        except StanchError as error:
            self.progress.failed(job.run, self._durable(row, opened), str(error), error.remedy)
        except Exception as error:  # a defect in one step must not stall the run unseen
            log.exception("step.crashed", step=row.uses)
            self.progress.failed(
                job.run,
                self._durable(row, opened),
                f"{row.uses} crashed with {type(error).__name__}",
                "report it with the log; what was done so far is on the record",
            )
        else:
            return self._settle(job, replace(row, opened=tuple(sorted(opened))), verdict, then)
        return []

    def _durable(self, row: StepRun, opened: set[str]) -> StepRun:
        """The row with what this attempt wrote before it was interrupted.

        Writing the row as it was at the start would forget that the effect is ours.
        """
        with self.store.snapshot() as tx:
            found = next(s for s in tx.runs.steps(row.run) if s.id == row.id)
        return replace(found, token=row.token, opened=tuple(sorted(opened)))

    def _work(
        self, step: Step, job: Job, row: StepRun, leases: Leases, opened: set[str]
    ) -> tuple[Verdict, StepRun]:
        params = self.planner.typed(row.uses, job.params)
        if not isinstance(step, Change):
            return step.look(params, self._context(step, job, row, opened)), row
        if row.acted_at is None:
            row = self._act(step, params, job, row, leases, opened)
        verdict = step.verify(params, self._context(step, job, row, opened))
        self.trace(row.id, "verified")
        return verdict, row

    def _act(
        self,
        step: Change[object],
        params: object,
        job: Job,
        row: StepRun,
        leases: Leases,
        opened: set[str],
    ) -> StepRun:
        seen = step.observe(params, self._context(step, job, row, opened))
        self.trace(row.id, "observed")
        match seen:
            case Present(evidence=evidence) if row.absent_at is None:
                return self.progress.found(job.run, row, evidence)
            case Present(evidence=evidence, ours=False):
                # Undo leaves alone what another did while our own answer was lost.
                return self.progress.found(job.run, replace(row, absent_at=None), evidence)
            case Present(evidence=evidence, ours=ours):
                by = "us" if ours else SOMEBODY
                seen_later: JsonObject = {**evidence, "answer": "lost, seen later", BY: by}
                return self.progress.acted(job.run, row, seen_later, answered=bool(ours))
            case Absent(before=before):
                leases.require(row)
                ours_before = row.absent_at is not None  # an act of ours may still show
                row = self.progress.begun(job.run, row, before, leases.length)
                self.trace(row.id, "begun")
                try:
                    evidence = step.act(params, self._context(step, job, row, opened))
                except Retryable as error:
                    if error.refused and not ours_before:
                        self.progress.refused(row)
                    raise
                self.trace(row.id, "acted")
                row = self.progress.acted(job.run, row, evidence)
                self.trace(row.id, "recorded")
                return row
            case _:
                assert_never(seen)

    def _settle(self, job: Job, row: StepRun, verdict: Verdict, then: Then[Job]) -> list[Job]:
        match verdict:
            case Verified(evidence=evidence, outputs=outputs, claim=claim):
                said: JsonObject = {"claim": claim.as_json()} if claim else {}
                seen = {**row.evidence, **evidence, **said}
                done = replace(row, evidence=seen, outputs=dict(outputs))
                after = self.progress.done(job.run, done, job.runbook, then)
                self.trace(row.id, "done")
                return after
            case NotYet() as later:
                self._wait(job, row, later)
            case GoOn(cursor=cursor, after=after):
                self.progress.later(replace(row, cursor=cursor), after, None, tries=0)
            case Refuted(why=why, remedy=remedy, stranger=stranger):
                evidence = {**row.evidence, STRANGER: True} if stranger else row.evidence
                self.progress.failed(job.run, replace(row, evidence=evidence), why, remedy)
            case _:
                assert_never(verdict)
        return []

    def _wait(self, job: Job, row: StepRun, later: NotYet) -> None:
        """The world has not settled: look again, but not for ever.

        The limit counts from the moment until which that is usual, else from the first look that
        saw it unsettled: a worker that was away for long has not seen the world refuse anything.
        """
        with self.store.snapshot() as tx:
            now = tx.now()
        since = datetime.fromisoformat(str(row.cursor.get("unsettled", now.isoformat())))
        row = replace(row, cursor={**row.cursor, "unsettled": since.isoformat()})
        if now - (later.until or since) > SETTLE_LIMIT:
            self.progress.failed(
                job.run,
                row,
                f"not settled after {SETTLE_LIMIT}: {later.why}",
                "look at the service yourself, then `stanch respond` the incident again",
                wake=WAKE if job.contains else None,
            )
            return
        # Each look costs the store two writes: the longer it takes, the rarer they become.
        after = max(later.after, min((now - since) / 2, LONGEST_LOOK))
        self.progress.later(row, after, later.why, tries=row.tries)

    def _retry(self, job: Job, row: StepRun, why: str, after: timedelta) -> None:
        if row.tries + 1 >= MAX_TRIES:
            self.progress.failed(
                job.run,
                row,
                f"gave up after {MAX_TRIES} tries: {why}",
                "see whether the service is reachable, then `stanch respond` the incident again",
                wake=WAKE if job.contains else None,
            )
            return
        self.progress.again(row, why, after)

    def _context(self, step: Step, job: Job, row: StepRun, opened: set[str]) -> Context:
        return Context(
            store=self.store,
            vault=self.vault,
            incident=job.incident,
            step=row,
            spec=step.spec,
            access=Access(born_in=job.born_in, opened=opened),
        )
