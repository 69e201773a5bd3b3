"""kill -9 of a person's command, and of the sweep, before and after its commit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.bootstrap import open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunKind, RunState

pytestmark = pytest.mark.xdist_group("killed-1")
RESPOND, UNDO = RunKind.RESPOND, RunKind.UNDO
WORDS = (
    ("pause", (RESPOND, RunState.PAUSED)),
    ("resume", (RESPOND, RunState.RUNNING)),
    ("undo", (UNDO, RunState.RUNNING)),
    ("cancel", (UNDO, RunState.CANCELLED)),
)


def newest(case: Any) -> tuple[RunKind, RunState]:
    with case.house.store.snapshot() as tx:
        run = tx.runs.of(case.incident)[-1]
    return run.kind, run.state


def test_a_word_is_said_whole_or_not_at_all(case: Any) -> None:
    case.finish(asked=True)
    for verb, then in WORDS:
        before = newest(case)
        case.say(verb, "before")
        assert newest(case) == before, verb
        case.say(verb, "after")
        assert newest(case) == then, verb
    stopped = case.state  # the undo ended it
    case.say("respond", "before")
    assert case.state is stopped
    case.say("respond", "after")
    assert (stopped, case.state) == (RunState.ABORTED, RunState.RUNNING)
    case.finish()
    case.assert_proven()


def test_what_is_shredded_is_gone_whenever_its_shredder_is_killed(case: Any) -> None:
    case.finish(asked=True)
    case.house.responses.cancel(case.incident, by=Caller(name="alice", door="cli"))
    leak, born = sealed(case)
    assert leak
    assert born
    found = case.found
    with case.house.store.transaction() as tx:
        dead = replace(found, state=IncidentState.PROVEN_DEAD, proven_dead_at=tx.now())
        tx.incidents.save(dead)
    case.say("sweep", "before")
    assert sealed(case) == (leak, born)
    case.say("sweep", "scrub")
    assert sealed(case) == (leak, [])
    assert not left(case, born)
    case.say("close", "before")
    assert sealed(case) == (leak, [])
    case.say("close", "scrub")
    assert sealed(case) == ([], [])
    assert not left(case, leak)
    assert case.found.state is IncidentState.CLOSED
    with case.house.store.snapshot() as tx:
        events = [entry.event for entry in tx.ledger.entries(case.incident)]
    shredded = [e.detail["ref"] for e in events if e.action == "secret.shredded"]
    assert len(shredded) == len(set(shredded)) >= 2


def sealed(case: Any) -> tuple[list[bytes], list[bytes]]:
    """The ciphertexts of what leaked, and of what our runs made."""
    leak: list[bytes] = []
    born: list[bytes] = []
    with case.house.store.snapshot() as tx:
        for ref, run, *_ in tx.envelopes.of(case.incident):
            found = [tx.envelopes.get(ref, part) for part in tx.envelopes.parts(ref)]
            (leak if run is None else born).extend(each.ciphertext for each in found if each)
    return leak, born


def left(case: Any, ciphertexts: list[bytes]) -> bool:
    """Whether a byte of them is left in the files, once the next process has opened the store."""
    with open_house(load(environment=case.environment)):
        raw = b"".join(file.read_bytes() for file in case.home.glob("stanch.db*"))
    return any(each in raw for each in ciphertexts)
