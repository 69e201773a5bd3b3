"""Who may decide, when, and on what: every refusal is one message, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stanch.responder.domain.ids import IncidentId

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk

YES = ("--yes", "--reason", "the replacement works")


@pytest.mark.parametrize(
    ("who", "message", "remedy"),
    [
        ("alice", "alice asked for this", "another member of 'security'"),
        ("mallory", "'mallory' is not a known person", "[people]"),
        ("eve", "eve is not in the group 'security'", "someone of 'security'"),
    ],
)
def test_the_wrong_person_cannot_approve(case: Desk, who: str, message: str, remedy: str) -> None:
    done = case.stanch("approve", "LK-1", "--as", who, *YES)
    assert done.code == 2
    assert message in done.message
    assert remedy in done.remedy
    assert open_questions(case) == 1
    assert "Decision wanted" in case.stanch("incidents", "LK-1").out


def test_an_approval_that_expired_is_refused_and_can_be_asked_for_again(case: Desk) -> None:
    with case.opened() as store, store.transaction() as tx:
        (approval,) = tx.approvals.of(tx.runs.of(IncidentId(1))[-1].id)
        soon = approval.asked_at + timedelta(microseconds=1)
        tx.approvals.save(replace(approval, expires_at=soon))
    done = case.stanch("approve", "LK-1", "--as", "bob", *YES)
    assert done.code == 2
    assert "expired at" in done.message
    assert "`stanch respond LK-1`" in done.remedy
    again = case.stanch("respond", "LK-1", "--as", "alice")
    assert again.code == 0, again.err
    assert "Decision wanted" in again.out
    assert open_questions(case) == 1


def test_without_a_terminal_a_decision_needs_yes_and_a_reason(case: Desk) -> None:
    done = case.stanch("approve", "LK-1", "--as", "bob")
    assert done.code == 2
    assert "needs a terminal" in done.message
    assert "--yes" in done.remedy
    done = case.stanch("approve", "LK-1", "--as", "bob", "--yes")
    assert done.code == 2
    assert "needs a reason" in done.message
    assert "--reason" in done.remedy
    done = case.stanch("undo", "LK-1", "--as", "bob")
    assert done.code == 2
    assert "needs a terminal" in done.message
    assert open_questions(case) == 1


@pytest.mark.parametrize(
    "command",
    [
        ("incidents",),
        ("approve", *YES),
        ("close", "--owner", "dana", "--reason", "it is over"),
        ("undo", "--yes"),
        ("postmortem",),
        ("audit", "log"),
        ("runbooks", "plan"),
        ("respond",),
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_an_incident_that_does_not_exist_is_said(desk: Desk, command: tuple[str, ...]) -> None:
    done = desk.stanch(*command, "LK-77")
    assert (done.code, done.out) == (2, "")
    assert "there is no incident LK-77" in done.message
    assert "`stanch incidents` lists them" in done.remedy


@pytest.mark.parametrize(
    ("said", "message", "remedy"),
    [
        (("--owner", "dana"), "needs a reason", "--reason"),
        (("--reason", "over"), "have no owner", "--owner NAME"),
        (("--reason", "over", "--owner", "dana"), "not proven dead", "--unproven"),
        (("--reason", "over", "--owner", "x=dana"), "no action item 'x'", "known: "),
        (("--reason", "over", "--owner", "=dana"), "names no owner", "ACTION=NAME"),
        (("--reason", "over", "--owner", "dana", "--as", "mallory"), "'mallory'", "[people]"),
    ],
)
def test_what_closing_lacks_is_said_and_changes_nothing(
    case: Desk, said: tuple[str, ...], message: str, remedy: str
) -> None:
    done = case.stanch("close", "LK-1", "--as", "bob", *said)
    assert (done.code, done.out) == (2, "")
    assert message in done.message
    assert remedy in done.remedy
    assert open_questions(case) == 1


def test_a_closed_incident_leaves_the_list_and_comes_back_when_somebody_goes_on(
    case: Desk,
) -> None:
    why = ("--reason", "the account is gone", "--owner", "dana", "--unproven")
    closed = case.stanch("close", "LK-1", "--as", "bob", *why)
    assert closed.code == 0, closed.err
    assert "CLOSED, NOT PROVEN DEAD" in closed.out
    assert "dana: Bring the credential to proven dead" in closed.out
    assert "LK-1" not in case.stanch("incidents").out
    assert "LK-1" in case.stanch("incidents", "--all").out
    log = case.stanch("audit", "log", "LK-1").out
    assert "incident.closed" in log
    assert '"account":' in log
    again = case.stanch("respond", "LK-1", "--as", "alice")
    assert again.code == 1  # the deletion needs what closing has shredded, and nobody is asked
    assert "the leaked value was shredded" in again.out
    assert "LK-1" in case.stanch("incidents").out


def test_nobody_speaks_for_a_person_whose_account_is_another(case: Desk) -> None:
    toml = case.home / "stanch.toml"
    text = toml.read_text().replace("[people.bob]\n", '[people.bob]\naccount = "bobs-own"\n')
    toml.write_text(text)
    done = case.stanch("approve", "LK-1", "--as", "bob", *YES)
    assert (done.code, done.out) == (2, "")
    assert "'bobs-own'" in done.message
    assert "--as" in done.remedy
    assert open_questions(case) == 1


@pytest.mark.parametrize("label", ["LK-", "LK-0", "LK-1x", "LK-99999999999"])
def test_a_malformed_label_shows_the_form(desk: Desk, label: str) -> None:
    done = desk.stanch("respond", label)
    assert (done.code, done.out) == (2, "")
    assert repr(label) in done.message
    assert "LK-7" in done.remedy


def open_questions(desk: Desk) -> int:
    (count,) = desk.sql("SELECT count(*) FROM approvals WHERE decision = 'open'")[0]
    assert isinstance(count, int)
    return count
