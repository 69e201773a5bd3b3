"""Starting, taking up and sweeping runs; what a case file holds."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed, UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.ledger.anchor import AnchorFile, Notary
from stanch.responder.ledger.checkpoint import SigningKey
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.services.casefiles import CaseFiles, sentence
from stanch.responder.store.sql import open_store
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import ALICE

SECOND = timedelta(seconds=1)


def test_responding_twice_takes_up_the_same_run(room: Any) -> None:
    run = room.begin(room.line("a"))
    assert room.responses.respond(IncidentId(1), by=ALICE) == run
    assert room.bell.rings.count((Errand.ADVANCE, run)) == 2


def test_a_failed_step_is_tried_again_and_the_rest_is_kept(room: Any) -> None:
    room.lamps.then("act", "b", StepFailed("no", remedy="mend it"))
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    assert room.settle(run).state is RunState.FAILED
    assert room.responses.respond(IncidentId(1), by=ALICE) == run
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.calls.count(("act", "a")) == 1
    assert room.steps(run)["b"].error is None


def test_who_was_once_refused_an_answer_for_long_gets_all_tries_again(room: Any) -> None:
    room.lamps.then("look", "a", *[Retryable("busy", after=SECOND)] * 31)
    run = room.begin(room.line("a", "lamp.look"))
    assert room.settle(run).state is RunState.FAILED
    room.responses.respond(IncidentId(1), by=ALICE)
    assert room.settle(run).state is RunState.DONE


def test_a_run_that_is_done_is_not_taken_up(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    again = room.responses.respond(IncidentId(1), by=ALICE)
    assert again != run
    room.settle(again)
    assert room.lamps.acts() == ["a"]  # the second run found it done


def test_a_regression_starts_a_new_run(room: Any) -> None:
    room.lamps.then("act", "a", StepFailed("no", remedy="mend it"))
    run = room.begin(room.line("a"))
    room.settle(run)
    with room.store.transaction() as tx:
        tx.incidents.save(tx.incidents.get(1).reopened(room.clock.now))
    assert room.responses.respond(IncidentId(1), by=ALICE) != run


def test_without_a_runbook_there_is_no_run_and_no_plan(room: Any) -> None:
    taken = room.take()
    assert room.responses.respond(taken.incident, by=ALICE) is None
    with pytest.raises(UsageError, match="no runbook"):
        room.responses.plan(taken.incident)


def test_a_plan_before_the_run_shows_what_is_not_known_yet(room: Any) -> None:
    taken = room.take()
    room.write(room.line("a", "lamp.look"), room.line("b", after=("a",), colour="${a.seen}"))
    plan = room.responses.plan(taken.incident)
    assert plan.steps[1].params is None
    assert plan.steps[1].calls[0].arguments["colour"] == "‹a.seen›"
    assert room.lamps.calls == []
    run = room.responses.respond(taken.incident, by=ALICE)
    room.settle(run)
    assert room.responses.plan(taken.incident).steps[1].calls[0].arguments["colour"] == "a"


def test_a_run_of_which_nobody_was_told_is_found_by_the_sweep(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.bell.rings.clear()
    assert room.reconciler.sweep() >= 1
    assert (Errand.ADVANCE, run) in room.bell.rings
    room.settle(run)
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert (Errand.ADVANCE, run) not in room.bell.rings


def test_the_sweep_leaves_what_is_not_due(room: Any) -> None:
    room.lamps.then("act", "a", Retryable("busy", after=SECOND))
    run = room.begin(room.line("a"))
    room.advance(run)
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert (Errand.ADVANCE, run) not in room.bell.rings
    room.clock.move(SECOND)
    room.reconciler.sweep()
    assert (Errand.ADVANCE, run) in room.bell.rings


def test_a_card_of_which_nobody_was_told_is_found_by_the_sweep(room: Any) -> None:
    taken = room.take()
    room.bell.rings.clear()
    assert room.reconciler.sweep() == 1
    assert room.bell.rings == [(Errand.NOTIFY, str(taken.incident))]


def test_a_run_whose_worker_died_after_the_last_step_is_settled_by_the_sweep(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    with room.store.transaction() as tx:
        tx.runs.save(replace(tx.runs.get(run), state=RunState.RUNNING, finished_at=None))
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert (Errand.ADVANCE, run) in room.bell.rings
    assert room.settle(run).state is RunState.DONE
    assert room.steps(run)["a"].state is StepState.DONE


@pytest.fixture
def casefiles(room: Any, tmp_path: Path, _blank: tuple[Path, LedgerSeal]) -> CaseFiles:
    _, seal = _blank
    notary = Notary(
        signer=SigningKey(tmp_path / "checkpoint.key"),
        seal=seal,
        files=(AnchorFile(tmp_path / "anchors.jsonl"),),
    )
    specs = {name: step.spec for name, step in room.planner.steps.items()}
    return CaseFiles(store=room.store, seal=seal, notary=notary, specs=specs)


def test_a_case_file_holds_the_whole_case(room: Any, casefiles: CaseFiles) -> None:
    run = room.begin(room.line("a"), room.line("b", approval="second", after=("a",)))
    room.settle(run)
    case = casefiles.gather(IncidentId(1))
    assert case.incident.state is IncidentState.OPEN
    assert [(r.id, len(steps)) for r, steps in case.runs] == [(run, 2)]
    assert len(case.approvals) == 1
    assert len(case.exposures) == 1
    assert {e.event.incident for e in case.entries} == {1}
    assert "not anchored yet" in case.ledger_verdict
    casefiles.notary.anchor(room.store, now=room.clock.now)
    assert casefiles.gather(IncidentId(1)).ledger_verdict.endswith("all anchored")
    with pytest.raises(UsageError, match="LK-9"):
        casefiles.gather(IncidentId(9))


def test_a_record_that_another_key_wrote_is_called_tampered(
    room: Any, casefiles: CaseFiles, tmp_path: Path
) -> None:
    room.begin(room.line("a"))
    other = LedgerSeal(SecretValue(os.urandom(32)))
    with open_store(f"sqlite:///{tmp_path}/room.db", seal=other) as forger:
        judged = replace(casefiles, store=forger, seal=other)
        verdict, _ = judged.verdict()
    assert not verdict.intact
    assert sentence(verdict).startswith("TAMPERED")
