"""What a look could not judge alone becomes an incident, or nothing, by a person's word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.timeline import Event
from stanch.responder.domain.watched import Judged, Suspicion, WatchStore
from stanch.responder.services.intake import Intake, Report
from stanch.scanner.api import Match

CHANGED, UNREAD = "anomaly-stream", "not-read"
"""Rules of suspicions that are no finds: a stream has changed, and no look will read something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Takes a person's word; ``match`` is what an incident for a changed stream is opened from."""

    store: WatchStore
    intake: Intake
    match: Callable[[str, str], Match]  # of a stream's name and the reason

    def open(self, number: int, by: Caller) -> IncidentId:
        """Make it an incident; raises UsageError when it is none of ours, or judged already."""
        suspicion, subject = self._open(number)
        if suspicion.rule == UNREAD:
            raise UsageError(
                f"number {number} is nothing that was found: it was not read",
                remedy=f"read it by hand, then say so: stanch sources --dismiss {number}",
            )
        if suspicion.rule != CHANGED:
            # Its value is kept nowhere: what nobody was sure of is read again, and then sealed.
            raise UsageError(
                f"number {number} is a find whose value was not kept",
                remedy=f"read it again and open what is there: stanch respond --all {subject}",
            )
        taken = self.intake.receive(
            Report(
                match=self.match(subject, suspicion.reason),
                root=subject,
                by=by,
                detected_at=datetime.now(UTC),
            )
        )
        with self.store.transaction() as tx:
            tx.sources.judge(number, Judged.INCIDENT, taken.incident)
        return taken.incident

    def dismiss(self, number: int, by: Caller) -> None:
        """Lay it aside, on the record; raises UsageError as above."""
        suspicion, subject = self._open(number)
        with self.store.transaction() as tx:
            tx.sources.judge(number, Judged.DISMISSED)
            tx.ledger.append(
                Event(
                    at=tx.now(),
                    actor=by.actor,
                    action="suspicion.dismissed",
                    incident=None,
                    detail={
                        "source": subject,
                        "rule": suspicion.rule,
                        "place": suspicion.place,
                        **by.trace,
                    },
                )
            )

    def _open(self, number: int) -> tuple[Suspicion, str]:
        with self.store.snapshot() as tx:
            found = tx.sources.suspicion(number)
            source = tx.sources.get(found.source) if found else None
        if found is None or source is None:
            raise UsageError(
                f"there is nothing with the number {number}",
                remedy="`stanch sources WATCH` lists what waits for a person",
            )
        if found.state is not Judged.OPEN:
            raise UsageError(
                f"number {number} was judged already: {found.state}",
                remedy="`stanch sources WATCH` lists what waits for a person",
            )
        return found, source.subject
