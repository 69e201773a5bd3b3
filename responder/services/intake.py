"""Findings become incidents: one secret, many exposures. The one place where a match is sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import Exposure, Incident, IncidentState, page
from stanch.responder.domain.ports import Errand, Sealed, Store, Transaction, Vault
from stanch.responder.domain.run import RunState
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.stop import stop
from stanch.responder.services.recognising import recognise
from stanch.responder.services.response import Responses
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.provenance import InCommit


class News(StrEnum):
    """What a match meant."""

    OPENED = "opened"
    EXPOSED = "exposed"  # a known incident, a new place
    KNOWN = "known"  # a known incident at a known place
    REOPENED = "reopened"  # it was over, and the secret is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A credential that somebody saw.

    ``root`` names the scanned repository or directory; ``detected_at`` starts the clocks; without
    ``respond`` the incident only stands open.
    """

    match: Match
    root: str
    by: Caller
    detected_at: datetime
    respond: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The incident that a report belongs to, what was new, and the run that works on it."""

    incident: IncidentId
    news: News
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was prepared outside of the transaction: a number, and the sealed value if needed."""

    incident: IncidentId
    sealed: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes reports in."""

    store: Store
    vault: Vault
    responses: Responses

    def receive(self, report: Report) -> Taken:
        """Incident, sealed value, exposure, run and errand: all of it, or nothing.

        The master key may be far away, so the value is sealed before the transaction; if somebody
        else opened the incident meanwhile, that is done again.
        """
        while True:
            draft = self._draft(report)
            with self.store.transaction() as tx:
                taken = self._enter(tx, report, draft)
            if taken is not None:
                break
        if taken.run is not None and taken.news in {News.OPENED, News.REOPENED}:
            self.responses.wake(taken.run)
        if taken.news is not News.KNOWN:
            self.responses.doorbell.ring(Errand.NOTIFY, str(taken.incident))
        return taken

    def _draft(self, report: Report) -> Draft:
        match = report.match
        with self.store.snapshot() as tx:
            known = tx.incidents.by_fingerprint(match.finding.fingerprint)
            kept = tx.envelopes.parts(known.sealed) if known else ()
        if known is not None and not set(match.parts) - set(kept):
            return Draft(incident=known.id, sealed=None)
        if known is not None:
            number = known.id
        else:
            with self.store.transaction() as tx:
                number = tx.incidents.next_id()
        sealed = self.vault.seal(incident=number, name="leak", parts=match.parts)
        return Draft(incident=number, sealed=sealed)

    def _enter(self, tx: Transaction, report: Report, draft: Draft) -> Taken | None:
        """None when the draft does not fit any more."""
        finding, at = report.match.finding, report.detected_at
        known = tx.incidents.by_fingerprint(finding.fingerprint)
        if (known is None and draft.sealed is None) or (known and known.id != draft.incident):
            return None
        exposure = _exposure(finding, report.root, at)
        if known is None and draft.sealed is not None:
            incident, news = _open(tx, report, draft.incident, draft.sealed), News.OPENED
        elif known is not None:
            incident, news = self._meet(tx, known, exposure, draft, report)
        else:
            return None
        if tx.incidents.expose(incident.id, exposure) and news is News.KNOWN:
            news = News.EXPOSED
        if news is not News.KNOWN:
            tx.ledger.append(_event(incident, exposure, news, report.by, at))
            tx.outbox.put(Errand.NOTIFY, str(incident.id))
        if news in {News.OPENED, News.REOPENED}:
            recognise(tx, incident, actor=report.by.actor)
        run = tx.runs.active(incident.id)
        if report.respond and news in {News.OPENED, News.REOPENED}:
            started = self.responses.start(tx, incident, report.by, report=True)
        else:
            started = run.id if run else None
        return Taken(incident=incident.id, news=news, run=started)

    def _meet(
        self, tx: Transaction, known: Incident, exposure: Exposure, draft: Draft, report: Report
    ) -> tuple[Incident, News]:
        """The secret is known: reopen what was over, keep parts that were missing so far."""
        met, news = known, News.KNOWN
        if known.state.over and not _known_place(tx, known, exposure):
            met, news = known.reopened(report.detected_at), News.REOPENED
            active = tx.runs.active(known.id)
            if active is not None:  # what it would prove is not true of this leak
                stop(tx, active, RunState.ABORTED, actor=report.by.actor)
        if draft.sealed is not None:
            met = replace(met, sealed=draft.sealed.keep(tx))
        return (met if met is known else tx.incidents.save(met)), news


def _open(tx: Transaction, report: Report, number: IncidentId, sealed: Sealed) -> Incident:
    finding = report.match.finding
    incident = Incident(
        id=number,
        fingerprint=finding.fingerprint,
        provider=finding.provider,
        kind=finding.kind,
        preview=finding.preview,
        severity=finding.severity,
        state=IncidentState.OPEN,
        sealed=sealed.keep(tx),
        root=report.root,
        detected_at=report.detected_at,
    )
    tx.incidents.add(incident)
    return incident


def _known_place(tx: Transaction, known: Incident, exposure: Exposure) -> bool:
    """Old history that is scanned again is no regression: the secret is back only if it moved.

    A commit is the same in every clone, a layer in every image; a file without either is another
    in another repository.
    """
    return any(_where(seen) == _where(exposure) for seen in tx.incidents.exposures(known.id))


def _where(seen: Exposure) -> tuple[str | None, str, int, int]:
    return (seen.commit or seen.origin or f"root:{seen.root}", seen.path, seen.line, seen.column)


def _exposure(finding: Finding, root: str, now: datetime) -> Exposure:
    where = finding.provenance
    in_commit = where if isinstance(where, InCommit) else None
    return Exposure(
        source=where.source,
        path=where.path,
        line=finding.span.line,
        column=finding.span.column,
        root=root,
        commit=in_commit.commit if in_commit else None,
        author=in_commit.author if in_commit else None,
        exposed_at=in_commit.committed_at if in_commit else None,
        found_at=now,
        rule=finding.rule,
        reason=finding.reason,
        origin=where.origin,
        about="" if in_commit else where.words,
        url=page(where.link),
        copies=where.copies,
    )


def _event(incident: Incident, exposure: Exposure, news: News, by: Caller, now: datetime) -> Event:
    action = {News.OPENED: "incident.opened", News.REOPENED: "incident.reopened"}
    return Event(
        at=now,
        actor=by.actor,
        action=action.get(news, "exposure.added"),
        incident=incident.id,
        detail={
            "credential": f"{incident.provider} {incident.kind} {incident.preview}",
            "fingerprint": incident.fingerprint,
            "place": f"{exposure.root}:{exposure.path}:{exposure.line}",
            "commit": exposure.commit,
            **({"about": exposure.about} if exposure.about else {}),
            "rule": exposure.rule,
            **by.trace,
        },
    )
