"""A ledger on a real SQLite file, with its anchors, and an attacker who holds only the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path

import pytest

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.anchor import AnchorFile, Notary
from stanch.responder.ledger.checkpoint import SigningKey
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.ledger.verify import Verdict, verify
from stanch.responder.store.sql import SqlStore, open_store
from stanch.scanner.model.secret import SecretValue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A ledger under test."""

    path: Path
    store: SqlStore
    seal: LedgerSeal
    notary: Notary
    numbers: Iterator[int]  # so that no two entries are alike

    def append(self, entries: int) -> None:
        with self.store.transaction() as tx:
            for number in islice(self.numbers, entries):
                tx.ledger.append(
                    Event(
                        at=NOW + timedelta(seconds=number),
                        actor="cli:ann",
                        action="step.done",
                        incident=IncidentId(7) if number % 3 else None,
                        detail={"step": "disable", "reason": "é", "n": number},
                    )
                )

    def anchor(self) -> None:
        self.notary.anchor(self.store, now=NOW)

    def attack(self, *statements: str) -> None:
        """Change the file behind the store's back."""
        with closing(sqlite3.connect(self.path, timeout=5)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def verify(self, *, anchors: bool = True) -> Verdict:
        lines = self.notary.files[0].lines() if anchors else ()
        with self.store.snapshot() as tx:
            return verify(
                tx.ledger.entries(),
                seal=self.seal,
                anchors=lines,
                key=self.notary.signer.public,
            )


@pytest.fixture
def open_record(tmp_path: Path) -> Iterator[Callable[[str], Record]]:
    """Makes ledgers of different installations."""
    opened = []
    numbers = count()

    def make(name: str) -> Record:
        folder = tmp_path / name
        seal = LedgerSeal(SecretValue(os.urandom(32)))
        path = folder / "stanch.db"
        store = open_store(f"sqlite:///{path}", seal=seal)
        opened.append(store)
        notary = Notary(
            signer=SigningKey(folder / "keys" / "checkpoint.key"),
            seal=seal,
            files=[AnchorFile(folder / "anchors" / "a.jsonl")],
        )
        return Record(path=path, store=store, seal=seal, notary=notary, numbers=numbers)

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def record(open_record: Callable[[str], Record]) -> Record:
    return open_record("one")
