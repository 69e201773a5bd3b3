"""The runbooks that come with Stanch load, and say what a person must know."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from stanch.responder.domain.runbook import Runbook, Silence, runbook_for
from stanch.responder.domain.step import Effect
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.providers.aws.permission import policy_document
from stanch.responder.providers.page import render
from stanch.responder.providers.permission import required
from stanch.responder.providers.registry import SPECS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    books = load_runbooks(files("stanch.runbooks"), SPECS)
    found = runbook_for(books.values(), "aws", "access-key")
    assert found is not None
    return found


def test_key_and_sessions_are_contained_at_the_same_time(runbook: Runbook) -> None:
    steps = {step.id: step for step in runbook.steps}
    assert steps["disable-key"].after == steps["deny-sessions"].after
    assert set(steps["verify-contained"].after) == {"disable-key", "deny-sessions", "probe"}
    assert runbook.contained_by == "verify-contained"


def test_containment_waits_for_what_looks_first_but_not_long(runbook: Runbook) -> None:
    first = next(s for s in runbook.steps if SPECS[s.uses].effect is not Effect.READ)
    assert first.within.keys() >= {"snapshot", "probe", "possession"}
    assert max(first.within.values()) <= timedelta(seconds=5)


def test_only_what_cannot_be_undone_waits_for_a_person(runbook: Runbook) -> None:
    steps = [step for step in runbook.steps if not SPECS[step.uses].aside]
    waiting = [step.id for step in steps if step.approval]
    final = [step.id for step in steps if SPECS[step.uses].effect is Effect.FINAL]
    assert final == ["delete-key"]
    assert waiting == ["agree", "delete-key"]
    assert runbook.policies["final-revocation"].silence is Silence.HOLD


def test_containment_waits_for_nobody_when_the_leaked_pair_works(runbook: Runbook) -> None:
    policy = runbook.policies["first-touch"]
    leaked = {"tried.works": "yes", "owner.protected": "no", "owner.status": "Active"}
    assert policy.need(leaked).count == 0
    assert policy.need(leaked | {"tried.works": "no"}).count == 1
    assert policy.need(leaked | {"tried.works": "unknown"}).count == 1
    assert policy.need(leaked | {"owner.protected": "yes"}).count == 2
    steps = {step.id: step for step in runbook.steps}
    waiting = [runbook.contained_by]
    while waiting:
        step = steps[waiting.pop()]
        assert step.approval is None or step.id == "agree"
        waiting.extend(step.after)


def test_copies_come_after_containment_in_every_runbook_and_nothing_waits_for_them() -> None:
    for book in load_runbooks(files("stanch.runbooks"), SPECS).values():
        aside = {step.id for step in book.steps if SPECS[step.uses].aside}
        assert {"find-copies", "archive-image", "copy-by-hand"} <= aside
        for step in book.steps:
            if step.id in aside:
                assert set(step.after) <= aside | {book.contained_by}
                assert step.after
                changes = SPECS[step.uses].effect is not Effect.READ
                assert step.approval == "copies" or not changes
            else:
                assert not aside & {*step.after, *step.within}
        assert not aside & book.containing


def test_sessions_that_the_trail_shows_late_are_denied_while_people_think(runbook: Runbook) -> None:
    steps = {step.id: step for step in runbook.steps}
    waiting, seen = ["late-sessions"], set[str]()
    while waiting:
        seen.add(step := waiting.pop())
        waiting.extend(steps[step].after)
    assert {name for name in seen if steps[name].approval} == {"agree"}
    assert "complete_after" in steps["trail"].params
    assert {"late-sessions", "delete-key"} <= set(steps["prove-dead"].after)


def test_our_identity_needs_only_what_the_steps_declare(runbook: Runbook) -> None:
    actions = required([runbook], SPECS)
    assert "iam:DeleteUserPolicy" in actions  # what undo needs is needed too
    assert not [action for action in actions if "*" in action]
    document = policy_document(actions)
    text = json.dumps(document)
    assert all(f'"{action}"' in text for action in actions)


def test_the_page_about_the_steps_is_current() -> None:
    page = (ROOT / "docs" / "steps.md").read_text()
    assert page == render(), "run: python -m stanch.responder.providers.page > docs/steps.md"


def test_the_page_about_runbooks_names_every_runbook_and_policy() -> None:
    page = (ROOT / "docs" / "runbooks.md").read_text()
    for file in (ROOT / "runbooks").rglob("*.yaml"):
        assert file.stem in page
