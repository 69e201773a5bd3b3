"""What was measured says where it is written; what was not is never called met."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.verify import Verdict
from stanch.responder.services.evidence.control import CONTROLS, LEDGER, Control, Standard
from stanch.responder.services.evidence.export import Evidence, Proof, as_csv, as_html, as_json
from stanch.responder.services.evidence.export import gather as gathered
from stanch.responder.services.evidence.measure import MEASURES
from stanch.responder.services.evidence.period import parse_period
from tests.responder.conftest import START, Room

PROOF = Proof(
    verdict=Verdict(entries=4, anchored=4), sentence="intact", head="f" * 64, anchors=("a <b>",)
)


def evidence(room: Room, period: str = "2026-03") -> Evidence:
    rows: tuple[tuple[datetime, str, JsonObject], ...] = (
        (START - timedelta(days=40), "secret.denied", {}),
        (START, "secret.given", {"reference": "secret://a/prod/b/c", "seconds": 0.1}),
        (START, "secret.given", {"reference": "=cmd()", "seconds": 0.3}),
        (START, "secret.refused", {"reference": "secret://a/prod/b/c"}),
    )
    for at, action, detail in rows:
        event = Event(at=at, actor="cli:a", action=action, incident=None, detail=detail)
        with room.store.transaction() as tx:
            tx.ledger.append(event)
    with room.store.snapshot() as tx:
        return gathered(tx.ledger.entries(), PROOF, parse_period(period, START))


def control(name: str) -> Control:
    return next(each for each in CONTROLS if each.id == name)


def test_a_measure_is_of_its_period_and_names_the_entries_it_rests_on(room: Room) -> None:
    found = evidence(room).found["unauthorised"]
    assert found is not None
    assert found.values == {"denied_or_refused": 1, "accesses": 3}
    with room.store.snapshot() as tx:
        mine = [entry.digest for entry in tx.ledger.entries()][1:]
    assert (found.first, found.last, found.entries) == (2, 4, 3)
    assert found.digest == hashlib.sha256("".join(mine).encode()).hexdigest()


def test_what_nothing_was_measured_of_says_so_and_nothing_is_ever_met(room: Room) -> None:
    found = evidence(room)
    assert found.status(control("CC7.2")) == "measured"
    assert found.status(control("8.6.3")) == "not measured"  # nothing was rotated
    assert found.status(control("CC6.8")) == "not measured"
    words = json.loads(as_json(found))
    assert {each["status"] for each in words["controls"]} == {"measured", "not measured"}
    rotations = [m for c in words["controls"] for m in c["measures"] if m["measure"] == "rotations"]
    assert all("values" not in each for each in rotations)
    nothing = evidence(room, "2020")
    assert {nothing.status(each) for each in CONTROLS if LEDGER not in each.measures} == {
        "not measured"
    }


def test_a_record_without_entries_proves_nothing(room: Room) -> None:
    empty = replace(evidence(room), proof=replace(PROOF, verdict=Verdict(entries=0, anchored=0)))
    assert empty.status(control("AU-10")) == "not measured"


def test_every_form_has_every_control_and_nothing_breaks_out(room: Room) -> None:
    found = evidence(room)
    rows = list(csv.DictReader(as_csv(found).splitlines()))
    assert {row["control"] for row in rows} == {each.id for each in CONTROLS}
    assert all(row["head"] == "f" * 64 and row["begin"] and row["status"] for row in rows)
    page = as_html(found)
    assert all(f"<td>{each.id}</td>" in page for each in CONTROLS)
    assert "a &lt;b&gt;" in page


def test_controls_name_measures_there_are_and_every_standard_is_there() -> None:
    assert {each.standard for each in CONTROLS} == set(Standard)
    named = {name for each in CONTROLS for name in each.measures}
    assert named - {LEDGER} == set(MEASURES)
    assert len({(each.standard, each.id) for each in CONTROLS}) == len(CONTROLS)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-03-01..2026-03-01", "2026-03-01", "2026-03-02"),
        ("1d", "2026-03-01", "2026-03-02"),
    ],
)
def test_a_period_ends_just_before_its_end(text: str, begin: str, end: str) -> None:
    period = parse_period(text, START)
    assert (f"{period.begin:%Y-%m-%d}", f"{period.end:%Y-%m-%d}") == (begin, end)


@pytest.mark.parametrize("text", ["", "2026-13", "2026-03-02..2026-03-01", "0d", "2026-02-30..x"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_period(text, START)
