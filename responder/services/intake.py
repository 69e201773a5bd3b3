"""Findings become incidents: one secret, many exposures. The one place where a match is sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.ports import Errand, Store, Transaction, Vault
from stanch.responder.domain.timeline import Event
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.provenance import InCommit


class News(StrEnum):
    """What a match meant."""

    OPENED = "opened"
    EXPOSED = "exposed"  # a known incident, a new place
    KNOWN = "known"  # a known incident at a known place
    REOPENED = "reopened"  # it was over, and the secret is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The incident that a match belongs to, and what was new."""

    incident: IncidentId
    news: News


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes matches in."""

    store: Store
    vault: Vault

    def take(self, match: Match, *, root: str, by: Caller, detected_at: datetime) -> Taken:
        """Seal the value, open or extend the incident, remember the exposure.

        ``root`` names the scanned repository or directory; ``detected_at`` starts the clocks.
        """
        finding = match.finding
        with self.store.transaction() as tx:
            known = tx.incidents.by_fingerprint(finding.fingerprint)
            if known is None:
                incident, news = self._open(tx, match, root, detected_at), News.OPENED
            else:
                incident, news = self._meet(tx, known, match, detected_at)
            exposure = _exposure(finding, root, detected_at)
            if tx.incidents.expose(incident.id, exposure) and news is News.KNOWN:
                news = News.EXPOSED
            if news is not News.KNOWN:
                tx.ledger.append(_event(incident, exposure, news, by, detected_at))
                tx.outbox.put(Errand.NOTIFY, str(incident.id))
        return Taken(incident=incident.id, news=news)

    def _open(self, tx: Transaction, match: Match, root: str, now: datetime) -> Incident:
        finding = match.finding
        number = tx.incidents.next_id()
        incident = Incident(
            id=number,
            fingerprint=finding.fingerprint,
            provider=finding.provider,
            kind=finding.kind,
            preview=finding.preview,
            severity=finding.severity,
            state=IncidentState.OPEN,
            sealed=self.vault.seal(tx, incident=number, name="leak", parts=match.parts),
            root=root,
            detected_at=now,
        )
        tx.incidents.add(incident)
        return incident

    def _meet(
        self, tx: Transaction, known: Incident, match: Match, now: datetime
    ) -> tuple[Incident, News]:
        """The secret is known: reopen what was over, keep parts that were missing so far."""
        news = News.KNOWN
        met = known
        if known.state.over and not _known_place(tx, known, match.finding):
            met, news = known.reopened(now), News.REOPENED
        if set(match.parts) - set(tx.envelopes.parts(known.sealed)):
            met = replace(
                met, sealed=self.vault.seal(tx, incident=known.id, name="leak", parts=match.parts)
            )
        return (met if met is known else tx.incidents.save(met)), news


def _known_place(tx: Transaction, known: Incident, finding: Finding) -> bool:
    """Old history that is scanned again is no regression: the secret is back only if it moved."""
    place = (finding.path, finding.commit, finding.span.line, finding.span.column)
    return any(
        (e.path, e.commit, e.line, e.column) == place for e in tx.incidents.exposures(known.id)
    )


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
            "rule": exposure.rule,
            **by.trace,
        },
    )
