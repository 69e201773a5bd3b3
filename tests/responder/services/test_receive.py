"""Work enters whole: what is killed at any commit leaves either nothing or a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.domain.error import StoreError
from stanch.responder.domain.run import RunState
from stanch.responder.services.intake import News, Report
from tests.responder.conftest import ALICE


def report(room: Any, match: Any, root: str = "payments") -> Report:
    return Report(match=match, root=root, by=ALICE, detected_at=room.clock.now)


def test_a_report_opens_the_incident_and_starts_its_run_at_once(room: Any) -> None:
    room.write(room.line("a"))
    taken = room.intake.receive(report(room, room.match()))
    assert taken.news is News.OPENED
    assert room.settle(taken.run).state is RunState.DONE


def test_a_report_that_cannot_start_its_run_leaves_no_incident(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.write(room.line("a"))

    def dies(*_: Any) -> None:
        raise StoreError("killed here", remedy="x")

    monkeypatch.setattr(type(room.responses), "_add", dies)
    with pytest.raises(StoreError, match="killed"):
        room.intake.receive(report(room, room.match()))
    with room.store.transaction() as tx:
        assert tx.incidents.list() == ()


def test_a_slow_master_key_holds_no_writer_up(room: Any) -> None:
    """Other work is written while the value is being sealed."""
    real = room.vault

    class Slow:
        def seal(self, **what: Any) -> Any:
            with room.store.transaction() as tx:  # would be refused inside of a transaction
                tx.locks.take("other work", "me", now=tx.now(), until=tx.now())
            return real.seal(**what)

    room.write(room.line("a"))
    intake = replace(room.intake, vault=Slow())
    assert intake.receive(report(room, room.match())).run is not None


def test_a_secret_that_comes_back_gets_a_new_run_and_the_old_one_is_given_up(room: Any) -> None:
    room.write(room.line("a"), room.line("b", "lamp.smash", after=("a",), approval="second"))
    match = room.match()
    first = room.intake.receive(report(room, match))
    room.settle(first.run)
    with room.store.transaction() as tx:
        tx.incidents.save(tx.incidents.get(first.incident).closed(tx.now()))
    again = room.intake.receive(report(room, match, root="elsewhere"))
    assert (again.news, again.run == first.run) == (News.REOPENED, False)
    assert room.run(first.run).state is RunState.ABORTED
    assert room.run(again.run).episode == 1


def test_what_a_person_paused_is_left_to_them(room: Any) -> None:
    room.write(room.line("a"))
    match = room.match()
    first = room.intake.receive(report(room, match))
    room.responses.pause(first.incident, by=ALICE)
    again = room.intake.receive(report(room, match, root="elsewhere"))
    assert again.run == first.run
    assert room.run(first.run).state is RunState.PAUSED
