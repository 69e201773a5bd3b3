from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from stanch.responder.domain.error import LedgerError
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.ledger.chain import UnreadableEntryError, digest
from stanch.responder.ledger.seal import KeylessSeal
from stanch.responder.ledger.verify import Attack, _continues, verify
from stanch.responder.services.casefiles import sentence
from stanch.responder.store.ledger import decode as read

if TYPE_CHECKING:
    from tests.responder.ledger.conftest import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("seq", "at", "actor", "action", "incident", "detail", "previous", "digest", "mac")


@pytest.fixture
def anchored(record: Record) -> Record:
    """Ten entries, anchored after the fifth and the tenth."""
    for _ in range(2):
        record.append(5)
        record.anchor()
    assert record.verify().intact
    return record


def rechain(record: Record, start: int) -> None:
    """What an attacker without the ledger's key can do: make every digest fit again."""
    with record.store.snapshot() as tx:
        entries = list(tx.ledger.entries())
    previous = entries[start - 2].digest if start > 1 else "0" * 64
    statements = []
    for entry in entries[start - 1 :]:
        own = digest(entry.event, seq=entry.seq, previous=previous)
        statements.append(
            f"UPDATE ledger SET previous='{previous}', digest='{own}' WHERE seq={entry.seq}"  # noqa: S608  # an attack
        )
        previous = own
    record.attack(*statements)


def test_an_untouched_record_is_intact_and_says_how_much_is_anchored(anchored: Record) -> None:
    anchored.append(3)
    verdict = anchored.verify()
    assert verdict.intact
    assert (verdict.entries, verdict.anchored, verdict.tail) == (13, 10, 3)
    assert anchored.verify(anchors=False).tail == 13


def test_an_empty_record_is_intact(record: Record) -> None:
    record.anchor()
    assert record.verify().intact


EDITS = {
    "detail": "UPDATE ledger SET detail='{\"n\":9}' WHERE seq=4",
    "actor": "UPDATE ledger SET actor='cli:eve' WHERE seq=4",
    "time": "UPDATE ledger SET at=at+1 WHERE seq=4",
    "incident": "UPDATE ledger SET incident=8 WHERE seq=4",
    "incident taken away": "UPDATE ledger SET incident=NULL WHERE seq=3",
    "mac": "UPDATE ledger SET mac=replace(mac, substr(mac,1,1), 'z') WHERE seq=4",
    "not JSON": "UPDATE ledger SET detail='{' WHERE seq=4",
    "not canonical JSON": "UPDATE ledger SET detail=replace(detail, ':', ': ') WHERE seq=4",
    "bytes that are no text": "UPDATE ledger SET detail=CAST(x'ff' AS TEXT) WHERE seq=4",
    "no number as time": "UPDATE ledger SET at='soon' WHERE seq=4",
    "a time beyond all years": "UPDATE ledger SET at=9223372036854775807 WHERE seq=4",
    "a blob as actor": "UPDATE ledger SET actor=x'00ff' WHERE seq=4",
    "a text as incident": "UPDATE ledger SET incident='x' WHERE seq=4",
}


@pytest.mark.parametrize("anchors", [True, False], ids=["anchors", "database alone"])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_is_detected_where_it_was_made(
    anchored: Record, edit: str, *, anchors: bool
) -> None:
    anchored.attack(edit)
    verdict = anchored.verify(anchors=anchors)
    assert verdict.attack is Attack.EDIT
    assert verdict.seq == (3 if "seq=3" in edit else 4)
    assert verdict.entries == verdict.seq - 1


def test_an_edit_with_every_digest_made_to_fit_is_detected(anchored: Record) -> None:
    anchored.attack("UPDATE ledger SET actor='cli:eve' WHERE seq=4")
    rechain(anchored, 4)
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq) == (Attack.EDIT, 4)
    alone = anchored.verify(anchors=False)
    assert (alone.intact, alone.seq) == (False, 4)


def test_a_deletion_is_detected(anchored: Record) -> None:
    anchored.attack("DELETE FROM ledger WHERE seq IN (4, 5)")
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq) == (Attack.DELETION, 4)


@pytest.mark.parametrize("anchors", [True, False], ids=["anchors", "database alone"])
def test_a_deletion_with_renumbering_is_detected(anchored: Record, *, anchors: bool) -> None:
    anchored.attack(
        "DELETE FROM ledger WHERE seq=4",
        *(f"UPDATE ledger SET seq={seq - 1} WHERE seq={seq}" for seq in range(5, 11)),  # noqa: S608  # an attack
    )
    verdict = anchored.verify(anchors=anchors)
    assert (verdict.attack, verdict.seq) == (Attack.DELETION, 4)


@pytest.mark.parametrize("anchors", [True, False], ids=["anchors", "database alone"])
def test_a_reorder_is_detected(anchored: Record, *, anchors: bool) -> None:
    anchored.attack(
        "UPDATE ledger SET seq=-4 WHERE seq=4",
        "UPDATE ledger SET seq=4 WHERE seq=7",
        "UPDATE ledger SET seq=7 WHERE seq=-4",
    )
    verdict = anchored.verify(anchors=anchors)
    assert (verdict.attack, verdict.seq) == (Attack.REORDER, 4)


def test_an_entry_in_front_of_all_others_is_detected(anchored: Record) -> None:
    anchored.attack("UPDATE ledger SET seq=0 WHERE seq=4")
    assert anchored.verify().seq == 1


def test_a_truncation_is_detected_by_its_anchor_alone(anchored: Record) -> None:
    anchored.attack("DELETE FROM ledger WHERE seq > 7")
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq, verdict.anchored) == (Attack.TRUNCATION, 8, 5)
    assert anchored.verify(anchors=False).intact  # why a verdict without anchors is qualified


def test_an_emptied_record_is_a_truncation(anchored: Record) -> None:
    anchored.attack("DELETE FROM ledger")
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq) == (Attack.TRUNCATION, 1)


def test_a_rollback_to_an_older_copy_is_detected(anchored: Record) -> None:
    anchored.attack("DELETE FROM ledger WHERE seq > 5")
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq, verdict.entries) == (Attack.ROLLBACK, 6, 5)


def test_a_rollback_under_which_work_went_on_is_a_fork(anchored: Record) -> None:
    anchored.attack("DELETE FROM ledger WHERE seq > 5")
    anchored.append(9)
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq) == (Attack.FORK, 6)
    assert anchored.verify(anchors=False).intact


def test_a_rolled_back_record_is_not_anchored_again(anchored: Record) -> None:
    lines = anchored.notary.files[0].lines()
    anchored.attack("DELETE FROM ledger WHERE seq > 5")
    with pytest.raises(LedgerError, match="does not continue"):
        anchored.anchor()
    anchored.append(9)
    with pytest.raises(LedgerError, match="does not continue"):
        anchored.anchor()
    assert anchored.notary.files[0].lines() == lines


def test_a_genuine_entry_of_another_history_is_a_fork(anchored: Record) -> None:
    anchored.attack(
        "CREATE TABLE kept AS SELECT * FROM ledger WHERE seq=8",
        "DELETE FROM ledger WHERE seq > 6",
    )
    anchored.append(1)
    anchored.attack("INSERT INTO ledger SELECT * FROM kept")
    verdict = anchored.verify(anchors=False)
    assert (verdict.attack, verdict.seq) == (Attack.FORK, 8)


def test_a_forged_append_is_detected(anchored: Record) -> None:
    anchored.append(1)
    anchored.attack(
        "INSERT INTO ledger SELECT 12, at, 'cli:eve', action, incident, detail, digest, mac, mac"
        " FROM ledger WHERE seq=11"
    )
    rechain(anchored, 12)
    verdict = anchored.verify()
    assert (verdict.attack, verdict.seq) == (Attack.FORGED_APPEND, 12)


def test_anchors_of_another_installation_are_a_swapped_origin(
    anchored: Record, open_record: Callable[[str], Record]
) -> None:
    other = open_record("two")
    other.append(10)
    other.anchor()
    with anchored.store.snapshot() as tx:
        verdict = verify(
            tx.ledger.entries(),
            seal=anchored.seal,
            anchors=other.notary.files[0].lines(),
            key=other.notary.signer.public,
        )
    assert verdict.attack is Attack.SWAPPED_ORIGIN


def test_a_database_of_another_installation_is_detected(
    anchored: Record, open_record: Callable[[str], Record]
) -> None:
    other = open_record("two")
    other.append(10)
    with other.store.snapshot() as tx:
        verdict = verify(
            tx.ledger.entries(),
            seal=anchored.seal,
            anchors=anchored.notary.files[0].lines(),
            key=anchored.notary.signer.public,
        )
    assert (verdict.intact, verdict.seq) == (False, 1)


def test_anchors_that_contradict_each_other_are_a_fork(
    anchored: Record, open_record: Callable[[str], Record]
) -> None:
    other = open_record("two")
    other.append(5)
    blind = KeylessSeal(anchored.notary.origin)  # signs whatever stands there
    stolen = replace(anchored.notary, files=other.notary.files, seal=blind)
    stolen.anchor(other.store, now=_EPOCH)
    lines = [*anchored.notary.files[0].lines(), *other.notary.files[0].lines()]
    with anchored.store.snapshot() as tx:
        verdict = verify(
            tx.ledger.entries(),
            seal=anchored.seal,
            anchors=lines,
            key=anchored.notary.signer.public,
        )
    assert (verdict.attack, verdict.seq) == (Attack.FORK, 5)


@pytest.mark.parametrize("field", ["at", "head", "origin", "size", "signature"])
def test_a_changed_anchor_is_a_forged_anchor(anchored: Record, field: str) -> None:
    line = json.loads(anchored.notary.files[0].lines()[0])
    line[field] = 4 if field == "size" else line[field].replace(line[field][0], "9", 1) + "9"
    with anchored.store.snapshot() as tx:
        verdict = verify(
            tx.ledger.entries(),
            seal=anchored.seal,
            anchors=[json.dumps(line)],
            key=anchored.notary.signer.public,
        )
    assert verdict.attack is Attack.FORGED_ANCHOR


def decode(row: dict[str, Any]) -> Entry:
    """A row as the store reads it."""
    at = _EPOCH + timedelta(microseconds=row["at"])
    return read(SimpleNamespace(**{**row, "at": at}))  # type: ignore[arg-type]  # has every column


def flips(value: object) -> Iterator[object]:
    """Every value that differs in one byte (its lowest and its case bit), in the column's type."""
    if value is None:
        yield 1
        return
    text = str(value).encode()
    for place in range(len(text)):
        for bit in (0x01, 0x20):
            changed = bytearray(text)
            changed[place] ^= bit
            if not isinstance(value, int):
                yield changed.decode("utf-8", "surrogateescape")
            elif changed.isdigit():
                yield int(changed)


def test_no_flipped_byte_in_fifty_entries_goes_undetected(record: Record) -> None:
    record.append(50)
    with closing(sqlite3.connect(record.path)) as connection:
        rows = [
            dict(zip(COLUMNS, row, strict=True))
            for row in connection.execute(f"SELECT {','.join(COLUMNS)} FROM ledger ORDER BY seq")  # noqa: S608  # our constant
        ]
    entries = [decode(row) for row in rows]
    tried = 0
    for place, row in enumerate(rows):
        previous = entries[place].previous
        assert _continues(entries[place], place + 1, previous, record.seal)
        for column, value in ((name, new) for name in COLUMNS for new in flips(row[name])):
            tried += 1
            try:
                flipped = decode({**row, column: value})
            except (UnreadableEntryError, OverflowError):
                continue  # `verify` calls what cannot be read an edit, see the test above
            assert not _continues(flipped, place + 1, previous, record.seal), (column, value)
    assert tried > 20_000


def test_the_event_is_covered_whatever_its_time_zone() -> None:
    event = Event(at=_EPOCH, actor="a", action="b.c", incident=None, detail={})
    elsewhere = replace(event, at=_EPOCH.astimezone())
    assert digest(event, seq=1, previous="0") == digest(elsewhere, seq=1, previous="0")


@pytest.mark.parametrize(
    ("span", "named"), [(timedelta(minutes=30), None), (timedelta(days=9), 11)]
)
def test_time_that_runs_backwards_is_named_although_the_entry_is_genuine(
    anchored: Record, span: timedelta, named: int | None
) -> None:
    with anchored.store.transaction() as tx:
        newest = list(tx.ledger.entries())[-1].event
        tx.ledger.append(replace(newest, at=newest.at - span))
    verdict = anchored.verify()
    assert verdict.intact
    assert verdict.backwards == named
    assert ("time runs backwards" in sentence(verdict)) is (named is not None)
