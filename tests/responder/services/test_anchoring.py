"""Anchors that are gone are said, and never made anew in silence."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.ledger.anchor import AnchorFile, Notary
from stanch.responder.ledger.checkpoint import SigningKey
from stanch.responder.services.anchoring import Anchoring, AnchorsGoneError, gone
from tests.responder.conftest import ALICE


@pytest.fixture
def notary(room: Any, tmp_path: Path) -> Notary:
    return Notary(
        signer=SigningKey(tmp_path / "checkpoint.key"),
        seal=room.store._seal,
        files=(AnchorFile(tmp_path / "anchors.jsonl"),),
    )


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_anchors_that_are_gone_are_not_renewed(room: Any, notary: Notary, how: str) -> None:
    room.take()
    Anchoring(store=room.store, notary=notary).anchor()
    path = notary.files[0].path
    path.unlink() if how == "removed" else path.write_bytes(b"")
    room.take()
    for _ in range(2):
        with pytest.raises(AnchorsGoneError):
            Anchoring(store=room.store, notary=notary).anchor()
    assert not notary.files[0].lines()
    with room.store.snapshot() as tx:
        assert gone(tx, notary)


def test_a_process_that_anchors_for_long_does_not_renew_them_either(
    room: Any, notary: Notary
) -> None:
    anchoring = Anchoring(store=room.store, notary=notary)
    room.take()
    anchoring.anchor()
    notary.files[0].path.unlink()
    room.take()
    with pytest.raises(AnchorsGoneError):
        anchoring.anchor()


def test_a_person_begins_them_anew_on_the_record(room: Any, notary: Notary) -> None:
    anchoring = Anchoring(store=room.store, notary=notary)
    room.take()
    anchoring.anchor()
    with pytest.raises(UsageError, match="no anchors are missing"):
        anchoring.begin_anew(by=ALICE, reason="the disk is gone")
    notary.files[0].path.unlink()
    anchoring.begin_anew(by=ALICE, reason="the disk is gone")
    anchoring.anchor()
    with room.store.snapshot() as tx:
        assert gone(tx, notary) == ()
        begun = tx.ledger.newest("anchor.begun")
    assert (begun.actor, begun.detail["reason"]) == ("cli:alice", "the disk is gone")


def test_of_many_that_would_anchor_one_waits_and_anchors_for_all(room: Any, notary: Notary) -> None:
    anchoring = Anchoring(store=room.store, notary=notary)
    anchoring._at_work.acquire()  # somebody anchors, and takes long
    waiting = threading.Thread(target=anchoring.anchor)
    waiting.start()
    while not anchoring._next.locked():
        time.sleep(0.001)
    room.take()
    anchoring.anchor()  # returns at once
    assert notary.files[0].lines() == ()
    anchoring._at_work.release()
    waiting.join()
    (line,) = notary.files[0].lines()
    head = room.store.head()
    anchored = notary.signer.public.read(line)
    assert head is not None
    assert (anchored.size, anchored.head) == (head.seq, head.digest)
