"""Logs are sealed whole, deleted where they are kept, seen to be gone, and read masked."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from stanch.responder.cli.copies.logs import command as logs_command
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.copy import Reach
from stanch.responder.domain.error import LeaseLost, Retryable, StepFailed, UsageError
from stanch.responder.domain.ids import SealedRef
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.step import Absent, NotYet, Present, Verified
from stanch.responder.providers.copies.provider import COPIES
from stanch.responder.services.sealed_logs import SealedLogs
from stanch.responder.services.shredding import needless, shred_all
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue
from tests.responder.providers.copies.conftest import BOB, Office, in_log
from tests.responder.providers.copies.double import KEEPERS, Github, Jenkins, Keeper
from tests.scanner.sources.http.conftest import Host, host

__all__ = ["host"]

VALUE = b"c0rrect-h0rse-battery"
LOG = b"building\nlogin with " + VALUE + b" ok\ndone\n"

Start = Callable[[], Host]
Open = Callable[[str], Office]
every = pytest.mark.parametrize("kind", KEEPERS, ids=lambda kind: kind.name)


class Sealing:
    """As much of a context as deleting asks for; it says that the log is sealed."""

    incident = 7

    def __init__(self, *, sealed: bool = True) -> None:
        self._sealed = sealed

    def sealed(self, name: str) -> SealedRef | None:
        return SealedRef(f"sealed:{name}") if self._sealed else None


def deleting() -> tuple[Any, Any]:
    keepers = COPIES.connect(COPIES.settings(), lambda *_: SecretValue(b"none"))
    step: Any = COPIES.build(keepers)["copies.delete_log"]
    return step, step.spec.params


def logs_of(room: Office) -> SealedLogs:
    return SealedLogs(store=room.house.store, vault=room.house.vault)


@every
def test_a_log_is_deleted_after_a_person_agreed_and_read_masked(
    office: Open, host: Start, kind: type[Keeper]
) -> None:
    keeper = kind(host(), LOG)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert ask.title.endswith("This cannot be undone.")
    assert room.card().headline.startswith("UNTRIED")
    method, path, _ = keeper.removal
    assert ask.calls[0].startswith(f"{kind.name}:{method} ")
    assert ask.calls[0].rsplit("/", 2)[-1] == path.rsplit("/", 1)[-1]
    assert "what is lost there" in ask.calls[1]
    assert "bytes; a masked copy can be read with `stanch logs`" in ask.calls[2]
    assert (keeper.there, keeper.deletions) == (True, [])

    assert room.answer() is RunState.DONE
    assert (keeper.there, len(keeper.deletions)) == (False, 1)
    facts = dict(room.card().facts)
    assert facts["Taken away"] == f"{keeper.target}: gone"
    # What is done to a copy says nothing of the credential: nobody tried it or looked for its use.
    assert not {"Can be read in", "Used", "Searched", "Asked"} & facts.keys()

    (copy,) = logs_of(room).of(room.incident, by=BOB)
    text = logs_of(room).text(room.incident, copy, by=BOB)
    assert copy.log.target == keeper.target
    assert VALUE not in text
    assert b"login with [MASKED] ok\ndone\n" in text


@every
def test_who_answers_well_and_does_nothing_is_not_believed(host: Start, kind: type[Keeper]) -> None:
    keeper = kind(host(), LOG, lies=True)
    step, params = deleting()
    asked = params(copy=keeper.target)
    assert isinstance(step.observe(asked, Sealing()), Absent)
    step.act(asked, Sealing())
    assert len(keeper.deletions) == 1
    assert isinstance(step.verify(asked, Sealing()), NotYet)


@every
def test_a_worker_that_dies_behind_the_deletion_finds_it_done(
    host: Start, kind: type[Keeper]
) -> None:
    keeper = kind(host(), LOG)
    step, params = deleting()
    asked = params(copy=keeper.target)
    step.act(asked, Sealing())  # and the worker is gone: nothing was recorded
    assert isinstance(step.observe(asked, Sealing()), Present)
    seen = step.verify(asked, Sealing())
    assert isinstance(seen, Verified)
    assert seen.outputs["state"] == Reach.GONE
    step.act(asked, Sealing())  # 404 where it is not there any more is no failure
    assert isinstance(step.verify(asked, Sealing()), Verified)


@every
def test_a_log_that_is_still_written_is_not_deleted(host: Start, kind: type[Keeper]) -> None:
    keeper = kind(host(), LOG, running=True)
    step, params = deleting()
    with pytest.raises(StepFailed, match="still being written"):
        step.observe(params(copy=keeper.target), Sealing())


def test_a_log_that_is_still_written_is_left_to_people(office: Open, host: Start) -> None:
    keeper = Github(host(), LOG, running=True)
    room = office("")
    room.seen(in_log(keeper.target, link="https://ci.example/5"), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert "still being written" in ask.calls[0]
    assert "https://ci.example/5" in ask.calls[0]
    assert keeper.deletions == []


def test_what_our_token_does_not_see_is_not_called_gone(office: Open, host: Start) -> None:
    keeper = Github(host(), LOG, hidden=True)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert "not to be seen" in ask.calls[0]
    assert dict(room.card().facts)["Can be read in"] == f"{keeper.target} (a person is asked)"


def test_a_refusal_is_said_and_holds_up_nothing_else(office: Open, host: Start) -> None:
    refused, other = Github(host(), LOG, refuses=403), Jenkins(host(), LOG)
    room = office("")
    room.seen(in_log(refused.target), in_log(other.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    assert room.answer() is RunState.WAITING_APPROVAL
    assert room.answer() is RunState.FAILED
    facts = dict(room.card().facts)
    assert "refuses (403)" in facts["Can be read in"]
    assert facts["Taken away"] == f"{other.target}: gone"
    step = room.steps()["delete-log[0]"]
    assert step.state is StepState.FAILED
    assert "a token that may delete logs" in (step.remedy or "")
    failure = room.card().failure or ""
    assert "refuses (403)" in failure
    assert "a token that may delete logs" in failure


def test_a_log_that_is_gone_already_asks_nobody(office: Open, host: Start) -> None:
    keeper = Github(host(), LOG, there=False)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.DONE
    assert dict(room.card().facts)["Taken away"] == f"{keeper.target}: gone"


def test_nothing_is_deleted_that_is_not_sealed_whole(
    office: Open, host: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Github(host(), LOG)
    monkeypatch.setattr("stanch.responder.providers.copies.keeper.LARGEST", 20)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert "not all of it could be sealed" in ask.calls[0]
    assert keeper.deletions == []
    step, params = deleting()
    with pytest.raises(StepFailed, match="is not sealed"):
        step.act(params(copy=keeper.target), Sealing(sealed=False))
    assert keeper.deletions == []


def test_a_build_that_is_kept_for_ever_is_left_to_people(office: Open, host: Start) -> None:
    keeper = Jenkins(host(), LOG)
    keeper.kept = True
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert "marked to be kept forever" in ask.calls[0]


def test_a_keeper_that_does_not_answer_is_asked_again(host: Start) -> None:
    keeper = Github(host(), LOG)
    step, params = deleting()
    keeper.refuses = 502
    with pytest.raises(Retryable):
        step.act(params(copy=keeper.target), Sealing())


def test_a_limit_is_waited_for_and_no_refusal(host: Start) -> None:
    """GitHub says 403 for both."""
    keeper = Github(host(), LOG, refuses=403)
    keeper.more = {"retry-after": "1"}
    step, params = deleting()
    with pytest.raises(Retryable, match="no more requests until"):
        step.act(params(copy=keeper.target), Sealing())


def test_the_log_goes_with_the_incident_and_its_masked_copy_stays(
    office: Open, host: Start
) -> None:
    room = office("")
    room.seen(in_log(Github(host(), LOG).target), value=VALUE)
    room.contain()
    room.answer()
    with room.house.store.transaction() as tx:
        kept = {each.name.partition(":")[0] for each in tx.envelopes.of(room.incident)}
        assert kept == {"leak", "log", "masked-log"}
        assert not any("log" in spent.kept.name for spent in needless(tx, room.house.planner.steps))
        shred_all(tx, room.incident, actor="person:bob", why="the incident is closed")
        assert [e.name.partition(":")[0] for e in tx.envelopes.of(room.incident)] == ["masked-log"]
    (copy,) = logs_of(room).of(room.incident, by=Caller(name="carol", door="cli"))
    assert b"[MASKED]" in logs_of(room).text(room.incident, copy, by=BOB)


def test_what_is_sealed_is_the_log_as_it_was(office: Open, host: Start) -> None:
    keeper = Github(host(), LOG)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    room.contain()
    with room.house.store.snapshot() as tx:
        (raw,) = (e for e in tx.envelopes.of(room.incident) if e.name.startswith("log:"))
    packed = room.house.vault.open(raw.ref, "log", actor="person:bob", purpose="a test")
    assert gzip.decompress(packed.reveal()) == b"==> acme/app/runs/5/build <==\n" + LOG


def test_the_masked_copy_is_read_at_the_command_line_and_that_is_on_the_record(
    office: Open, host: Start
) -> None:
    keeper = Github(host(), LOG)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    room.contain()
    listed = CliRunner().invoke(logs_command, ["LK-1", "--as", "alice"], catch_exceptions=False)
    assert keeper.target in listed.output
    shown = CliRunner().invoke(logs_command, ["LK-1", "1", "--as", "alice"])
    assert b"login with [MASKED] ok" in shown.stdout_bytes
    assert VALUE not in shown.stdout_bytes
    with room.house.store.snapshot() as tx:
        opened = [e.event for e in tx.ledger.entries() if e.event.action == "secret.opened"]
    assert "to read the masked copy" in str(opened[-1].detail["purpose"])
    assert opened[-1].actor.endswith(":alice")
    none = CliRunner().invoke(logs_command, ["LK-1", "2", "--as", "alice"])
    assert isinstance(none.exception, UsageError)


def test_a_plan_shows_each_copy_with_its_exact_call_and_none_where_there_is_none(
    office: Open, host: Start
) -> None:
    keeper = Github(host(), LOG)
    room = office("")
    room.seen(InWorktree(path="deploy/env.sh"))
    shown = {step.id for step in room.house.responses.plan(room.incident).steps}
    assert "find-copies" in shown
    assert not shown & {"delete-log", "archive-image", "log-by-hand", "copy-by-hand"}
    room.seen(in_log(keeper.target))
    steps = {step.id: step for step in room.house.responses.plan(room.incident).steps}
    call, lost, _ = map(str, steps["delete-log[0]"].calls)
    assert call == "github:DELETE /repos/acme/app/actions/runs/5/logs"
    assert "all jobs, steps and attempts" in lost
    assert "log-by-hand" not in steps
    assert keeper.host.asked == []


@every
def test_a_token_that_has_lost_its_sight_has_deleted_nothing(
    host: Start, kind: type[Keeper]
) -> None:
    keeper = kind(host(), LOG)
    step, params = deleting()
    asked = params(copy=keeper.target)
    assert isinstance(step.observe(asked, Sealing()), Absent)
    keeper.hidden = True
    with pytest.raises(StepFailed, match="not to be seen"):
        step.observe(asked, Sealing())
    assert isinstance(step.verify(asked, Sealing()), NotYet)


def test_a_run_that_somebody_else_has_deleted_is_gone(office: Open, host: Start) -> None:
    keeper = Github(host(), LOG)
    pages = keeper.pages()
    del pages["/api/v3/repos/acme/app/actions/runs/5"]
    keeper.pages = lambda: pages  # type: ignore[method-assign]  # of this one
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.DONE
    assert dict(room.card().facts)["Taken away"] == f"{keeper.target}: gone"


def _killed_behind_the_act(room: Office) -> None:
    """Bob agrees, and the worker dies when the keeper has answered."""
    dead: list[str] = []

    def die(step: str, boundary: str) -> None:
        if (step, boundary) == ("delete-log[0]", "acted") and not dead:
            dead.append(step)
            raise LeaseLost("killed")

    attempt = replace(room.house.executor.attempt, trace=die)
    room.house = replace(room.house, executor=replace(room.house.executor, attempt=attempt))
    question = room.house.approvals.open_for(room.incident)
    room.house.approvals.decide(question, by=BOB, granted=True, reason="because it is so")
    while not dead:
        room.house.advance(room.run)


def test_a_worker_that_is_killed_between_deletion_and_record_deletes_once(
    office: Open, host: Start
) -> None:
    """The whole engine: what it finds on its return is recorded as seen, not as done."""
    keeper = Github(host(), LOG)
    room = office("")
    room.seen(in_log(keeper.target), value=VALUE)
    assert room.contain() is RunState.WAITING_APPROVAL
    _killed_behind_the_act(room)
    assert keeper.deletions
    with room.house.store.transaction() as tx:
        row = room.row(tx, "delete-log[0]")
        assert row.acted_at is None
        tx.runs.write(replace(row, lease_until=tx.now() - timedelta(seconds=1)))
    assert room.settle() is RunState.DONE
    assert len(keeper.deletions) == 1
    assert room.steps()["delete-log[0]"].outputs["state"] == Reach.GONE
    with room.house.store.snapshot() as tx:
        said = [
            e.event.action
            for e in tx.ledger.entries()
            if e.event.detail.get("step") == "delete-log[0]"
        ]
    assert said == [
        "approval.asked",
        "approval.granted",
        "step.intended",
        "step.seen",
        "step.verified",
    ]
