"""All controls with what was measured in a period, and what proves it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.timeline import Entry
from stanch.responder.ledger.verify import Verdict
from stanch.responder.lifecycle.inventory.report.delimited import plain
from stanch.responder.services.evidence.control import CONTROLS, LEDGER, Control
from stanch.responder.services.evidence.measure import MEASURES, Measured, measured
from stanch.responder.services.evidence.period import Period

MEASURED, NOT_MEASURED = "measured", "not measured"
NOTE = (
    "A measure is evidence, and no control is called met here: that is for whoever audits it. "
    "Not measured: the record has no entry in the period that speaks of it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The record that everything rests on, as it was judged, with its head and newest anchors."""

    verdict: Verdict
    sentence: str
    head: str | None
    anchors: tuple[str, ...]

    @property
    def words(self) -> JsonObject:
        """As JSON."""
        return {
            "intact": self.verdict.intact,
            "verdict": self.sentence,
            "entries": self.verdict.entries,
            "anchored": self.verdict.anchored,
            "head": self.head,
            "anchors": list(self.anchors),
            "verify": "stanch audit verify",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found."""

    period: Period
    proof: Proof
    found: Mapping[str, Measured | None]

    def status(self, control: Control) -> str:
        """Whether anything was measured; nothing more."""
        ledger = LEDGER in control.measures and self.proof.verdict.entries > 0
        some = ledger or any(self.found.get(name) for name in control.measures)
        return MEASURED if some else NOT_MEASURED


def gather(entries: Iterable[Entry], proof: Proof, period: Period) -> Evidence:
    """Measure everything over the entries of the period."""
    mine = [entry for entry in entries if period.begin <= entry.event.at < period.end]
    found = {name: measured(measure, mine) for name, measure in MEASURES.items()}
    return Evidence(period=period, proof=proof, found=found)


def as_json(evidence: Evidence) -> str:
    """One document with stable keys."""
    return json.dumps(
        {
            "period": evidence.period.words,
            "note": NOTE,
            "proof": evidence.proof.words,
            "controls": [
                {
                    "standard": str(control.standard),
                    "control": control.id,
                    "statement": control.told,
                    "status": evidence.status(control),
                    "measures": [_words(evidence, name) for name in control.measures],
                }
                for control in CONTROLS
            ],
        },
        indent=2,
    )


def as_csv(evidence: Evidence) -> str:
    """A row for each control and measure."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows([plain(cell) for cell in row] for row in _rows(evidence))
    return made.getvalue()


def as_html(evidence: Evidence) -> str:
    """One self-contained page."""
    head = Markup("").join(Markup("<th>{}</th>").format(name) for name in _HEAD)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row)
        )
        for row in _rows(evidence)
    )
    period = f"{evidence.period.words['begin']} – {evidence.period.words['end']}"
    anchors = Markup("<br>").join(escape(each) for each in evidence.proof.anchors)
    return str(
        Markup(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evidence {0}</title>'
            "<style>body{{font:14px sans-serif;margin:2em}}"
            "td,th{{border:1px solid #999;padding:4px;text-align:left;vertical-align:top}}"
            "td{{overflow-wrap:anywhere}}"
            "table{{border-collapse:collapse}}</style><h1>Evidence {0}</h1><p>{1}</p>"
            "<p>{2}<br>Head: <code>{3}</code><br>Newest anchors: <code>{4}</code></p>"
            "<table><tr>{5}</tr>{6}</table></html>\n"
        ).format(period, NOTE, evidence.proof.sentence, evidence.proof.head, anchors, head, body)
    )


_HEAD = (
    *("standard", "control", "statement", "status", "measure", "values"),
    *("begin", "end", "query", "entries", "first", "last", "digest", "head", "anchored"),
)


def _rows(evidence: Evidence) -> Iterable[tuple[str, ...]]:
    begin, end = str(evidence.period.words["begin"]), str(evidence.period.words["end"])
    proof = evidence.proof
    for control in CONTROLS:
        front = (str(control.standard), control.id, control.told)
        for name in control.measures or ("",):
            told = _words(evidence, name) if name else {"status": NOT_MEASURED}
            said = _said(told.get("values"))
            cells = (told.get(key) for key in ("query", "entries", "first", "last", "digest"))
            yield (
                *(*front, str(told["status"]), name, said, begin, end),
                *("" if cell is None else str(cell) for cell in cells),
                *(proof.head or "", str(proof.verdict.anchored)),
            )


def _said(values: JsonValue) -> str:
    if not isinstance(values, Mapping):
        return ""
    return "; ".join(f"{name}={value}" for name, value in values.items())


def _words(evidence: Evidence, name: str) -> JsonObject:
    if name == LEDGER:
        verdict = evidence.proof.verdict
        return {
            "measure": name,
            "told": "The whole record: chain, keys and anchors (not only the period)",
            "status": MEASURED if verdict.entries else NOT_MEASURED,
            "values": {
                "intact": int(verdict.intact),
                "entries": verdict.entries,
                "anchored": verdict.anchored,
            },
            "query": "stanch audit verify",
        }
    found = evidence.found[name]
    told = MEASURES[name].told
    if found is None:
        return {"measure": name, "told": told, "status": NOT_MEASURED}
    return {
        "measure": name,
        "told": told,
        "status": MEASURED,
        "values": dict(found.values),
        "query": found.query,
        "entries": found.entries,
        "first": found.first,
        "last": found.last,
        "digest": found.digest,
    }
