"""Rows without marks: those of an older version are taken over once, anybody else's never."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.mark import said, stored
from stanch.responder.store.row import values
from stanch.responder.store.sql import ADOPTED, open_store
from stanch.responder.store.table import exposures
from stanch.scanner.model.secret import SecretValue
from tests.contracts.sample import exposure, incident


@pytest.mark.parametrize(
    ("written", "taken_over"),
    [(None, True), ("anchor.begun", False), ("people.sealed", False), (ADOPTED, False)],
)
def test_rows_without_marks_are_taken_over_only_where_no_marks_were_yet(
    tmp_path: Path, written: str | None, *, taken_over: bool
) -> None:
    url, seal = f"sqlite:///{tmp_path}/stanch.db", LedgerSeal(SecretValue(os.urandom(32)))
    with open_store(url, seal=seal) as store:
        with store.transaction() as tx:
            tx.incidents.add(incident())
            for action in ("incident.opened", *([written] if written else [])):
                event = Event(at=tx.now(), actor="test", action=action, incident=None, detail={})
                tx.ledger.append(event)
        with store.engine.begin() as connection:  # an old store, or whoever takes it back
            connection.execute(text("UPDATE incidents SET mark = '', preview = 'other'"))
    for _ in range(2):
        with open_store(url, seal=seal) as store, store.snapshot() as tx:
            assert bool(tx.integrity.suspects()) is not taken_over
            actions = [entry.event.action for entry in tx.ledger.entries()]
    assert actions.count(ADOPTED) == int(taken_over or written == ADOPTED)


def test_columns_that_came_later_leave_the_marks_of_older_rows_as_they_are() -> None:
    row = stored(exposures, {**values(exposure()), "incident": 1, "place": "0" * 64})
    before = {name: value for name, value in row.items() if name not in {"origin", "about", "url"}}
    assert json.loads(said(exposures, row)).keys() == before.keys()
    for name in ("origin", "about", "url"):
        assert name.encode() in said(exposures, {**row, name: "sha256:0"})
