"""Closing: a person's word that the incident is over, once what is left to do has owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.approval import Person, find_person, reasoned
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunState
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.stop import stop, void
from stanch.responder.postmortem.build import open_actions
from stanch.responder.postmortem.report import ActionItem
from stanch.responder.postmortem.text import clean
from stanch.responder.services.casefiles import CaseFiles
from stanch.responder.services.shredding import shred_all

_NAME = 60  # characters of an owner's name


class Disposition(StrEnum):
    """What an incident turned out to be, where nothing has to be proven dead."""

    NOT_OURS = "not-ours"  # somebody else's credential, who was told
    FALSE_ALARM = "false-alarm"  # no credential
    TEST_KEY = "test-key"  # opens nothing
    DUPLICATE = "duplicate"  # another incident answers it

    @property
    def words(self) -> str:
        """As people say it."""
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """What somebody says when they close. ``owners`` are by action id, ``other`` owns the rest."""

    by: Caller
    reason: str
    owners: Mapping[str, str]
    other: str | None = None
    unproven: bool = False  # close although the credential is not proven dead
    disposition: Disposition | None = None  # why there is nothing to prove


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The use case. A new sighting of the credential reopens what was closed."""

    store: Store
    casefiles: CaseFiles
    people: Mapping[str, Person]
    doorbell: Doorbell

    def actions(self, incident: IncidentId) -> tuple[ActionItem, ...]:
        """The action items as they are now, with their owners. UsageError: no such incident."""
        return open_actions(self.casefiles.case(incident))

    def close(self, incident_id: IncidentId, closure: Closure) -> tuple[ActionItem, ...]:
        """Record owners and the closing in one transaction; the action items with their owners.

        Raises ApprovalRefused for strangers, UsageError when it is closed already, when its run
        still works, when it is not proven dead and ``unproven`` was not said, or when an action
        item would have no owner.
        """
        find_person(self.people, closure.by.name)
        actions = self.actions(incident_id)
        owned = {} if closure.disposition else _owned(actions, closure)
        with self.store.transaction() as tx:
            incident = _closable(tx, incident_id, closure)
            now = tx.now()
            for run in tx.runs.of(incident_id):
                if not run.state.over:
                    stop(tx, run, RunState.ABORTED, actor=closure.by.actor)
                else:
                    void(tx, run, now)
            tx.incidents.save(incident.closed(now))
            for action, owner in owned.items():
                detail = {"action": action.id, "what": action.what, "owner": owner}
                _record(tx, incident, "action.assigned", closure.by, detail, now)
            proven = "yes" if incident.proven_dead_at else "no"
            detail = {"reason": closure.reason, "proven dead": proven}
            if closure.disposition:
                detail["disposition"] = closure.disposition.words
            _record(tx, incident, "incident.closed", closure.by, detail, now)
            shred_all(tx, incident_id, actor=closure.by.actor, why="the incident is closed")
            tx.outbox.put(Errand.NOTIFY, str(incident_id))
        self.doorbell.ring(Errand.NOTIFY, str(incident_id))
        return self.actions(incident_id)


def _owned(actions: tuple[ActionItem, ...], closure: Closure) -> dict[ActionItem, str]:
    """Whom each action item goes to, where this closure says so."""
    unknown = sorted(set(closure.owners) - {action.id for action in actions})
    if unknown:
        known = ", ".join(action.id for action in actions) or "there are none"
        raise UsageError(f"there is no action item {unknown[0]!r}", remedy=f"known: {known}")
    given = {
        action: closure.owners.get(action.id) or ("" if action.owner else closure.other or "")
        for action in actions
    }
    owned = {action: clean(name.strip(), _NAME) for action, name in given.items() if name.strip()}
    orphans = [action.id for action in actions if action not in owned and not action.owner]
    if orphans:
        raise UsageError(
            f"these action items have no owner: {', '.join(orphans)}",
            remedy="--owner NAME for all of them, or --owner ACTION=NAME for each",
        )
    return owned


def _closable(tx: Transaction, incident_id: IncidentId, closure: Closure) -> Incident:
    """The incident, if it may be closed now."""
    name = label(incident_id)
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise UsageError(f"there is no incident {name}", remedy="`stanch incidents` lists them")
    if incident.state is IncidentState.CLOSED:
        raise UsageError(f"{name} is closed already", remedy=f"`stanch respond {name}` reopens it")
    if any(_works(run) for run in tx.runs.of(incident_id)):
        raise UsageError(
            f"{name} is still being worked on",
            remedy=f"`stanch incidents {name}` shows where it is",
        )
    if incident.proven_dead_at is None and not closure.unproven and not closure.disposition:
        raise UsageError(
            f"{name} is not proven dead: the credential may still work",
            remedy=f"`stanch respond {name}` goes on; --unproven closes it all the same, "
            "--disposition says what it was, and the record keeps either",
        )
    reasoned(closure.reason)
    return incident


def _works(run: Run) -> bool:
    return run.state.works and run.state is not RunState.WAITING_APPROVAL


def _record(  # the facts of one entry
    tx: Transaction,
    incident: Incident,
    action: str,
    by: Caller,
    detail: Mapping[str, str],
    now: datetime,
) -> None:
    tx.ledger.append(
        Event(
            at=now,
            actor=by.actor,
            action=action,
            incident=incident.id,
            detail={**detail, **by.trace},
        )
    )
