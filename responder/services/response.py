"""Starting, resuming and taking back runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from stanch.responder.domain.approval import Decision, Person, find_person
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.copy import copies, unheard
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef, label
from stanch.responder.domain.incident import Incident, IncidentState, page
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.plan import Plan
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, pending_undo
from stanch.responder.domain.runbook import Runbook, runbook_for
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.limit import REPORT, STRANGER, TRIGGER
from stanch.responder.engine.pin import pin, pinned
from stanch.responder.engine.planner import Planner, step_runs
from stanch.responder.engine.reversal import reversal, standing
from stanch.responder.engine.revive import revive
from stanch.responder.engine.stop import stop, void
from stanch.scanner.model.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """The use cases around a run. The name of who asks is what approvals compare."""

    store: Store
    planner: Planner
    runbooks: Mapping[str, Runbook]
    doorbell: Doorbell
    people: Mapping[str, Person] = field(default_factory=dict)  # who may take containment back

    def runbook(self, incident: Incident) -> Runbook | None:
        """The runbook for this kind of credential, if there is one."""
        return runbook_for(self.runbooks.values(), incident.provider, incident.kind)

    def respond(self, incident_id: IncidentId, *, by: Caller, report: bool = False) -> RunId | None:
        """Start the runbook, or take up an unfinished run where it stopped.

        Failed steps are tried again; an expired approval is asked for again. None when there is no
        runbook for this kind of credential. ``report``: not for this incident's sake, but because
        its credential was seen again.
        """
        with self.store.snapshot() as tx:
            refused = _refused(tx, incident_id)
        if refused:
            find_person(self.people, by.name)  # to overrule a refusal, one must be somebody
        with self.store.transaction() as tx:
            incident = _reopened(tx, _incident(tx, incident_id), by)
            current = _current(tx, incident_id)
            if current is not None and _is_undoing(current):
                raise UsageError(
                    f"{label(incident_id)} is being undone",
                    remedy=f"`stanch cancel {label(incident_id)}` stops that; then respond again",
                )
            if current is not None and self._goes_on(tx, current, incident):
                trace = {**by.trace, **self._trigger(by, report=report)}
                revive(tx, current, actor=by.actor, requester=by.name, trace=trace)
                run_id: RunId | None = current.id
            else:
                run_id = self.start(tx, incident, by, report=report)
        if run_id is not None:
            self.wake(run_id)
        return run_id

    def start(
        self, tx: Transaction, incident: Incident, by: Caller, *, report: bool
    ) -> RunId | None:
        """A new run for an incident, in this transaction; whatever ran before it is given up.

        None when there is no runbook for this kind of credential. Call ``wake`` after the commit.
        ``report``: nobody asked for this incident; what was seen set it off.
        """
        runbook = self.runbook(incident)
        if runbook is None:
            return None
        active = tx.runs.active(incident.id)
        if active is not None:
            stop(tx, active, RunState.ABORTED, actor=by.actor, trace=by.trace)
        text, digest = pin(runbook)
        run = Run(
            id=_new_id(),
            incident=incident.id,
            kind=RunKind.RESPOND,
            runbook=runbook.id,
            runbook_version=runbook.version,
            state=RunState.RUNNING,
            requester=by.name,
            started_at=tx.now(),
            episode=incident.regressions,
            pinned=text,
            digest=digest,
        )
        self._add(tx, run, step_runs(runbook, run.id), by, self._trigger(by, report=report))
        return run.id

    def _goes_on(self, tx: Transaction, run: Run, incident: Incident) -> bool:
        """An unfinished response is taken up, and one that left something uncovered.

        After an undo or a regression, and for copies of which it has not heard, a new one starts.
        """
        if run.kind is not RunKind.RESPOND or run.episode != incident.regressions:
            return False
        if run.state is not RunState.DONE:
            return True
        specs = {name: step.spec for name, step in self.planner.steps.items()}
        kept = copies(tx.incidents.exposures(incident.id), tx.runs.steps(run.id), specs)
        return incident.state is IncidentState.CONTAINED and not unheard(kept)

    def _trigger(self, by: Caller, *, report: bool) -> JsonObject:
        """What the record keeps where no known person asked for this incident."""
        if report:
            return {TRIGGER: REPORT}
        return {} if by.name in self.people else {TRIGGER: STRANGER}

    def wake(self, run: RunId) -> None:
        """Ring for a run: first for what contains."""
        self.doorbell.ring(Errand.CONTAIN, run)
        self.doorbell.ring(Errand.ADVANCE, run)

    def pause(self, incident_id: IncidentId, *, by: Caller) -> RunId:
        """Nothing more happens until somebody resumes; an act under way is finished first."""
        with self.store.transaction() as tx:
            run = self._active(tx, incident_id)
            if run.state is not RunState.PAUSED:
                stop(tx, run, RunState.PAUSED, actor=by.actor, trace=by.trace)
                tx.outbox.put(Errand.NOTIFY, str(incident_id))
        self.doorbell.ring(Errand.NOTIFY, str(incident_id))
        return run.id

    def resume(self, incident_id: IncidentId, *, by: Caller) -> RunId:
        """Go on with a paused run where it stands."""
        with self.store.transaction() as tx:
            run = self._active(tx, incident_id)
            if run.state is not RunState.PAUSED:
                raise UsageError(
                    f"{label(incident_id)} is not paused",
                    remedy=f"`stanch incidents {label(incident_id)}` shows where it stands",
                )
            revive(tx, run, actor=by.actor, requester=by.name, trace=by.trace)
            tx.outbox.put(Errand.NOTIFY, str(incident_id))
        self.wake(run.id)
        return run.id

    def cancel(self, incident_id: IncidentId, *, by: Caller) -> RunId:
        """End the run where it stands, and leave the world as it is."""
        with self.store.transaction() as tx:
            run = self._active(tx, incident_id)
            stop(tx, run, RunState.CANCELLED, actor=by.actor, trace=by.trace)
            tx.outbox.put(Errand.NOTIFY, str(incident_id))
        self.doorbell.ring(Errand.NOTIFY, str(incident_id))
        return run.id

    def _active(self, tx: Transaction, incident_id: IncidentId) -> Run:
        _incident(tx, incident_id)
        run = tx.runs.active(incident_id)
        if run is None:
            raise UsageError(
                f"nothing is running for {label(incident_id)}",
                remedy=f"`stanch respond {label(incident_id)}` starts, or takes up what failed",
            )
        return run

    def undo(self, incident_id: IncidentId, *, by: Caller) -> RunId:
        """Take back what was done; raises UsageError when nothing can be.

        What is under way is fenced off first: nothing begins any more, and the undo waits until an
        act that had begun has ended. Then the policy for undoing decides who must agree: afterwards
        the credential works for whoever has it. An undo that was begun already is taken up, not
        repeated. Raises ApprovalRefused for strangers.
        """
        with self.store.transaction() as tx:
            found = _incident(tx, incident_id)
            find_person(self.people, by.name)
            incident = _reopened(tx, found, by)
            runs = tx.runs.of(incident_id)
            if not any(r.kind is RunKind.RESPOND for r in runs):
                raise UsageError(
                    f"{label(incident_id)} has no run that could be undone",
                    remedy=f"`stanch incidents {label(incident_id)}` shows where it stands",
                )
            newest = runs[-1]
            if newest.kind is RunKind.UNDO and _resumable(tx, newest):
                if not newest.state.works or _lapsed(tx, newest):
                    revive(tx, newest, actor=by.actor, requester=by.name, trace=by.trace)
                run_id = newest.id
            else:
                run_id = self._undo(tx, incident, runs, by)
        self.doorbell.ring(Errand.ADVANCE, run_id)
        return run_id

    def _undo(
        self, tx: Transaction, incident: Incident, runs: tuple[Run, ...], by: Caller
    ) -> RunId:
        run_id = _new_id()
        done = standing((run, tx.runs.steps(run.id)) for run in runs)
        rows = reversal(done, self.planner.steps, incident=incident.id, run=run_id)
        active = tx.runs.active(incident.id)
        if active is not None:
            stop(tx, active, RunState.ABORTED, actor=by.actor, trace=by.trace)
        original = [run for run in runs if run.kind is RunKind.RESPOND][-1]
        run = replace(
            original,
            id=run_id,
            kind=RunKind.UNDO,
            state=RunState.RUNNING,
            requester=by.name,
            started_at=tx.now(),
            finished_at=None,
        )
        self._add(tx, run, rows, by)
        tx.outbox.put(Errand.NOTIFY, str(incident.id))
        return run_id

    def plan(self, incident_id: IncidentId) -> Plan:
        """What responding would do, or what is left to do. Touches nothing."""
        with self.store.snapshot() as tx:
            incident = _incident(tx, incident_id)
            runs = [r for r in tx.runs.of(incident_id) if r.kind is RunKind.RESPOND]
            runbook = pinned(runs[-1], self.runbooks) if runs else self.runbook(incident)
            if runbook is None:
                raise _unanswered(incident)
            rows = tx.runs.steps(runs[-1].id) if runs else step_runs(runbook, RunId("plan"))
            seen = tx.incidents.exposures(incident_id)
        kept = {target: each.url for each in seen for target in each.copies}
        return self.planner.plan(incident, runbook, rows, kept)

    def foresee(self, finding: Finding, *, root: str, now: datetime) -> Plan:
        """What responding to a finding would do. Opens nothing, touches nothing."""
        incident = Incident(
            id=IncidentId(0),
            fingerprint=finding.fingerprint,
            provider=finding.provider,
            kind=finding.kind,
            preview=finding.preview,
            severity=finding.severity,
            state=IncidentState.OPEN,
            sealed=SealedRef(""),
            root=root,
            detected_at=now,
        )
        runbook = self.runbook(incident)
        if runbook is None:
            raise _unanswered(incident)
        where = finding.provenance
        kept = dict.fromkeys(where.copies, page(where.link))
        return self.planner.plan(incident, runbook, step_runs(runbook, RunId("plan")), kept)

    def _add(  # the facts of one run
        self,
        tx: Transaction,
        run: Run,
        rows: tuple[StepRun, ...],
        by: Caller,
        more: JsonObject = MappingProxyType({}),
    ) -> None:
        for earlier in tx.runs.of(run.incident):
            void(tx, earlier, run.started_at)  # nobody must answer for a run that is given up
        tx.runs.add(run, rows)
        tx.ledger.append(
            Event(
                at=run.started_at,
                actor=by.actor,
                action="run.started",
                incident=run.incident,
                detail={
                    "run": run.id,
                    "kind": run.kind,
                    "runbook": run.runbook,
                    "version": run.runbook_version,
                    "digest": run.digest,
                    **by.trace,
                    **more,
                },
            )
        )


def _unanswered(incident: Incident) -> UsageError:
    return UsageError(
        f"no runbook handles {incident.provider} {incident.kind}",
        remedy="`stanch runbooks list` shows what there is; docs/runbooks.md adds one",
    )


def _reopened(tx: Transaction, incident: Incident, by: Caller) -> Incident:
    """Who goes on with a closed incident opens it again."""
    if incident.state is not IncidentState.CLOSED:
        return incident
    tx.ledger.append(
        Event(
            at=tx.now(),
            actor=by.actor,
            action="incident.taken_up",
            incident=incident.id,
            detail=by.trace,
        )
    )
    return tx.incidents.save(incident.taken_up())


def _refused(tx: Transaction, incident: IncidentId) -> bool:
    """Whether somebody refused what the run asked that would be taken up."""
    run = _current(tx, incident)
    return run is not None and any(
        approval.decision is Decision.DENIED for approval in tx.approvals.of(run.id)
    )


def _current(tx: Transaction, incident: IncidentId) -> Run | None:
    """The newest run, without undos that ended before they began: what they left alone goes on."""
    runs = (
        run
        for run in reversed(tx.runs.of(incident))
        if not (run.state.over and pending_undo(run, tx.runs.steps(run.id)))
    )
    return next(runs, None)


def _resumable(tx: Transaction, undo: Run) -> bool:
    """It works, or ended halfway: what ended before it began is asked for anew."""
    begun = not pending_undo(undo, tx.runs.steps(undo.id))
    return not undo.state.over or (begun and undo.state is not RunState.DONE)


def _lapsed(tx: Transaction, run: Run) -> bool:
    """Whether what the run asked last has expired."""
    asked = [a for a in tx.approvals.of(run.id) if a.decision is not Decision.VOID]
    late = bool(asked) and asked[-1].expires_at <= tx.now()
    return late and asked[-1].decision in {Decision.OPEN, Decision.EXPIRED}


def _is_undoing(run: Run) -> bool:
    return run.kind is RunKind.UNDO and not run.state.over


def _incident(tx: Transaction, incident: IncidentId) -> Incident:
    found = tx.incidents.get(incident)
    if found is None:
        raise UsageError(
            f"there is no incident {label(incident)}", remedy="`stanch incidents` lists them"
        )
    return found


def _new_id() -> RunId:
    return RunId(secrets.token_hex(13))
