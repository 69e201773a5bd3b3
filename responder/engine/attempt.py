"""One attempt at one step: intend, observe, act, verify, record.

A worker may be killed between any two lines. What is durable at each point:

1. the intent, before anything is looked at;
2. that the effect was absent, and what was there instead, before the act;
3. that the act was answered;
4. the verified outcome, together with what it means for the incident.

An attempt that starts over looks first (``observe``), so an act whose answer was lost is not
repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from stanch.responder.domain.error import LeaseLost, LedgerError, Retryable, StanchError
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Store, Vault
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.step import (
    Absent,
    Change,
    NotYet,
    Present,
    Refuted,
    Step,
    Verdict,
    Verified,
)
from stanch.responder.engine.context import Context
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

# How long the world may take to show an effect before a person must look.
SETTLE_LIMIT = timedelta(minutes=5)
# Throttled or unreachable this many times in a row: a person must look.
MAX_TRIES = 30

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Runs jobs. Stateless: everything it learns is written to the store."""

    store: Store
    vault: Vault
    planner: Planner
    progress: Progress
    trace: Trace

    def run(self, job: Job, leases: Leases) -> None:
        """Bring the step as far as it goes now. Writes the result; raises only LeaseLost."""
        step = self.planner.steps[job.step.uses]
        row = self._intend(job)
        try:
            verdict, row = self._work(step, job, row, leases)
        except Retryable as error:
            self._retry(job, self._durable(row), error)
        except (LeaseLost, LedgerError):
            raise
        except StanchError as error:
            self.progress.failed(job.run, self._durable(row), str(error), error.remedy)
        except Exception as error:  # a defect in one step must not stall the run unseen
            log.exception("step.crashed", step=row.uses)
            self.progress.failed(
                job.run,
                self._durable(row),
                f"{row.uses} crashed with {type(error).__name__}",
                "report it with the log; what was done so far is on the record",
            )
        else:
            self._settle(job, row, verdict)

    def _durable(self, row: StepRun) -> StepRun:
        """The row with what this attempt wrote before it was interrupted.

        Writing the row as it was at the start would forget that the effect is ours.
        """
        with self.store.transaction() as tx:
            found = next(s for s in tx.runs.steps(row.run) if s.id == row.id)
        return replace(found, token=row.token)

    def _intend(self, job: Job) -> StepRun:
        row = job.step
        if row.intended_at is None:
            row = self.progress.intended(job.run, row, job.params)
        self.trace(row.id, "intended")
        return row

    def _work(self, step: Step, job: Job, row: StepRun, leases: Leases) -> tuple[Verdict, StepRun]:
        params = self.planner.typed(row.uses, job.params)
        if not isinstance(step, Change):
            return step.look(params, self._context(step, job, row)), row
        if row.acted_at is None:
            row = self._act(step, params, job, row, leases)
        verdict = step.verify(params, self._context(step, job, row))
        self.trace(row.id, "verified")
        return verdict, row

    def _act(
        self, step: Change[object], params: object, job: Job, row: StepRun, leases: Leases
    ) -> StepRun:
        seen = step.observe(params, self._context(step, job, row))
        self.trace(row.id, "observed")
        match seen:
            case Present(evidence=evidence) if row.absent_at is None:
                return self.progress.found(job.run, row, evidence)
            case Present(evidence=evidence):
                # We had written that it was absent: this is our own act, its answer lost.
                return self.progress.acted(job.run, row, {**evidence, "answer": "lost, seen later"})
            case Absent(before=before):
                if row.absent_at is None:
                    row = self.progress.absent(row, before)
                self.trace(row.id, "absent")
                leases.require(row)
                evidence = step.act(params, self._context(step, job, row))
                self.trace(row.id, "acted")
                row = self.progress.acted(job.run, row, evidence)
                self.trace(row.id, "recorded")
                return row
            case _:
                assert_never(seen)

    def _settle(self, job: Job, row: StepRun, verdict: Verdict) -> None:
        match verdict:
            case Verified(evidence=evidence, outputs=outputs, claim=claim):
                said: JsonObject = {"claim": claim.as_json()} if claim else {}
                seen = {**row.evidence, **evidence, **said}
                done = replace(row, evidence=seen, outputs=dict(outputs))
                self.progress.done(job.run, done, job.runbook)
                self.trace(row.id, "done")
            case NotYet() as later:
                self.progress.wait(job.run, row, later, SETTLE_LIMIT)
            case Refuted(why=why, remedy=remedy):
                self.progress.failed(job.run, row, why, remedy)
            case _:
                assert_never(verdict)

    def _retry(self, job: Job, row: StepRun, error: Retryable) -> None:
        if row.tries + 1 >= MAX_TRIES:
            self.progress.failed(
                job.run,
                row,
                f"gave up after {MAX_TRIES} tries: {error}",
                "see whether the service is reachable, then `stanch respond` the incident again",
            )
            return
        self.progress.again(row, error)

    def _context(self, step: Step, job: Job, row: StepRun) -> Context:
        return Context(
            store=self.store,
            vault=self.vault,
            incident=job.incident,
            step=row,
            spec=step.spec,
            born_in=job.born_in,
        )
