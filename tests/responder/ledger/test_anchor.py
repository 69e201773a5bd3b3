from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stanch.responder.domain.error import LedgerError
from stanch.responder.ledger.anchor import AnchorFile

if TYPE_CHECKING:
    from tests.responder.ledger.conftest import Record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sizes(record: Record) -> list[int]:
    key = record.notary.signer.public
    return [key.read(line).size for line in record.notary.files[0].lines()]


def test_an_anchor_is_written_only_when_something_is_new(record: Record) -> None:
    assert record.notary.anchor(record.store, now=NOW) is None
    record.append(3)
    checkpoint = record.notary.anchor(record.store, now=NOW)
    assert checkpoint is not None
    assert (checkpoint.size, checkpoint.at) == (3, NOW)
    assert record.notary.anchor(record.store, now=NOW) is None
    record.append(1)
    record.anchor()
    assert sizes(record) == [3, 4]


def test_anchors_belong_to_their_owner_alone(record: Record) -> None:
    record.append(1)
    record.anchor()
    path = record.notary.files[0].path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_sizes_never_fall_when_many_anchor_at_once(record: Record) -> None:
    def work(_: int) -> None:
        for _ in range(10):
            record.append(1)
            record.anchor()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = sizes(record)
    assert found == sorted(set(found))
    assert found[-1] == 40
    assert record.verify().anchored == 40


def test_a_line_torn_by_a_crash_is_no_anchor_and_is_replaced(record: Record) -> None:
    record.append(1)
    record.anchor()
    file = record.notary.files[0]
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + whole[: len(whole) // 2])
    assert record.verify().intact
    record.append(1)
    record.anchor()
    assert sizes(record) == [1, 2]


def test_every_file_gets_the_anchor(record: Record, tmp_path: Path) -> None:
    record.append(1)
    second = AnchorFile(tmp_path / "elsewhere" / "b.jsonl")
    both = replace(record.notary, files=[*record.notary.files, second])
    both.anchor(record.store, now=NOW)
    assert second.lines() == record.notary.files[0].lines()


def test_after_a_changed_anchor_nothing_is_signed(record: Record) -> None:
    record.append(1)
    record.anchor()
    file = record.notary.files[0]
    file.path.write_bytes(file.path.read_bytes().replace(b'"size":1', b'"size":2'))
    record.append(1)
    with pytest.raises(LedgerError, match="not signed"):
        record.anchor()


def test_anchors_that_cannot_be_written_say_so(record: Record, tmp_path: Path) -> None:
    record.append(1)
    broken = replace(record.notary, files=[AnchorFile(tmp_path)])
    with pytest.raises(LedgerError, match="cannot be used") as caught:
        broken.anchor(record.store, now=NOW)
    assert "outside the database" in caught.value.remedy
    with pytest.raises(LedgerError, match="cannot be used"):
        AnchorFile(tmp_path).lines()
