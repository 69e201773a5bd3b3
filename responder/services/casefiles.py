"""Gathers what a postmortem is built from, and judges the record it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.step import StepSpec
from stanch.responder.domain.timeline import Entry
from stanch.responder.ledger.anchor import Notary
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.ledger.verify import Verdict, verify
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.services.anchoring import gone
from stanch.responder.services.integrity import all_discrepancies, discrepancies
from stanch.responder.services.words import Words


class Readable(Protocol):
    """A store that gives one consistent view for long reading."""

    def intruders(self) -> tuple[str, ...]:
        """What acts on the tables besides us."""

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """A view that holds no writer up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFiles:
    """Case files and the verdict on the ledger."""

    store: Readable
    seal: LedgerSeal
    notary: Notary
    specs: Mapping[str, StepSpec]
    words: Words = field(default_factory=Words)
    advice: Mapping[str, Callable[[Facts], Iterable[Draft]]] = field(default_factory=dict)

    def verdict(self) -> tuple[Verdict, str | None]:
        """Judge the whole ledger; with the digest of its newest entry."""
        anchors = [line for file in self.notary.files for line in file.lines()]
        with self.store.snapshot() as tx:
            newest: list[str] = []
            found = verify(
                _noting(tx.ledger.entries(), newest),
                seal=self.seal,
                anchors=anchors,
                key=self.notary.signer.public,
            )
        return found, newest[-1] if newest else None

    def rows(self) -> tuple[str, ...]:
        """What the whole store holds that the record does not know, and what acts on it."""
        with self.store.snapshot() as tx:
            found = (*gone(tx, self.notary), *all_discrepancies(tx))
        return (*(f"a foreign {each}" for each in self.store.intruders()), *found)

    def tampered(self) -> tuple[str, ...]:
        """Everything that is wrong with the record and the rows; empty when all is well."""
        verdict, _ = self.verdict()
        broken = () if verdict.intact else (sentence(verdict).removeprefix("TAMPERED: "),)
        return (*broken, *self.rows())

    def gather(self, incident_id: IncidentId) -> CaseFile:
        """Everything about one incident. Raises UsageError when there is none of that number."""
        verdict, head = self.verdict()
        case = self.case(incident_id)
        broken = () if verdict.intact else (sentence(verdict).removeprefix("TAMPERED: "),)
        return replace(
            case,
            ledger_verdict=sentence(verdict),
            ledger_head=head,
            differs=(*broken, *case.differs),
        )

    def case(self, incident_id: IncidentId) -> CaseFile:
        """The same without judging the whole ledger, which takes longer the more it holds."""
        with self.store.snapshot() as tx:
            incident = tx.incidents.get(incident_id)
            if incident is None:
                raise UsageError(
                    f"there is no incident {label(incident_id)}",
                    remedy="`stanch incidents` lists them",
                )
            runs = tx.runs.of(incident_id)
            return CaseFile(
                incident=incident,
                exposures=tx.incidents.exposures(incident_id),
                runs=tuple((run, tx.runs.steps(run.id)) for run in runs),
                approvals=tuple(a for run in runs for a in tx.approvals.of(run.id)),
                entries=tuple(tx.ledger.entries(incident_id)),
                ledger_verdict="not judged here",
                differs=discrepancies(tx, incident_id),
                ledger_head=None,
                specs=self.specs,
                noun=self.words.credential(incident),
                advice=self.advice.get(incident.provider, _nothing),
            )


def _noting(entries: Iterable[Entry], newest: list[str]) -> Iterator[Entry]:
    """The entries as they come; ``newest`` holds the digest of the last one that was read."""
    for entry in entries:
        newest[:] = [entry.digest]
        yield entry


def _nothing(facts: Facts) -> Iterable[Draft]:
    del facts
    return ()


def sentence(verdict: Verdict) -> str:
    """The verdict in words. Never "verified" without saying how far anchors reach."""
    if verdict.attack is not None:
        at = f" at entry {verdict.seq}" if verdict.seq else ""
        return f"TAMPERED: {verdict.attack}{at}: {verdict.why}"
    time = f"; from entry {verdict.backwards} on time runs backwards" if verdict.backwards else ""
    if verdict.tail:
        return (
            f"{verdict.entries} entries sound, {verdict.anchored} of them anchored; "
            f"the last {verdict.tail} are not anchored yet{time}"
        )
    return f"{verdict.entries} entries sound, all anchored{time}"
