"""What a history is played with: a clock, a runbook, a surface, people and keys."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from stanch.responder.domain.approval import Person
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.card import Card, CardRef
from stanch.responder.domain.runbook import Phase, Policy, Runbook, RunbookStep, Silence
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.limit import Limit
from stanch.responder.ledger.checkpoint import SigningKey
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.vault.master import LocalMasterKey
from stanch.scanner.model.secret import SecretValue

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=15)
LIMIT = Limit(most=1, within=timedelta(minutes=5))
KEYS = ("key-one", "key-two")
ALICE, BOB = Caller(name="alice", door="cli"), Caller(name="bob", door="cli")
PEOPLE = {n: Person(name=n, groups=frozenset({"ops"})) for n in ("alice", "bob")}
DEPTH = 2  # how far events happen within events


class Killed(BaseException):
    """kill -9: nothing of this process happens any more."""


class Broken(AssertionError):  # noqa: N818  # a verdict on a history
    """An invariant does not hold."""


class StillLeases(Leases):
    """No heartbeat: time stands still while a worker works, unless the history says otherwise."""

    def hold(self, step: Any, limit: timedelta | None = None) -> None:
        del step, limit


@dataclass(slots=True)
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        # No two moments are the same: questions and runs are ordered by their time.
        self.now += timedelta(microseconds=1)
        return self.now


def _line(name: str, uses: str, *after: str, phase: Phase = Phase.CONTAIN, **more: Any) -> Any:
    params = {"user": "${owner.user}", "key": "${owner.key}"} if name != "owner" else {}
    params |= more.pop("params", {})
    return RunbookStep(
        id=name, phase=phase, uses=f"sim.{uses}", params=params, after=after,
        approval=more.pop("approval", None), origin="sim.yaml:1", **more,
    )  # fmt: skip


_REPLACEMENT = {"replacement": "${replace.key}"}
BOOK = Runbook(
    id="sim",
    version=1,
    title="A key has leaked",
    answers=(("sim", "key"),),
    steps=(
        _line("owner", "owner"),
        _line("disable", "disable", "owner"),
        _line("deny", "deny", "owner"),
        _line("contained", "contained", "disable", "deny"),
        _line("replace", "replace", "contained", phase=Phase.REVOKE),
        _line("promote", "promote", "replace", phase=Phase.REVOKE, params=_REPLACEMENT),
        _line("delete", "delete", "promote", phase=Phase.REVOKE, approval="second"),
        _line("dead", "dead", "delete", phase=Phase.AUDIT),
    ),
    policies={
        "second": Policy(
            id="second", title="Second", group="ops", expires=timedelta(minutes=10),
            silence=Silence.HOLD,
        )
    },
    contained_by="contained",
    proven_dead_by="dead",
)  # fmt: skip


@cache
def keys() -> tuple[LedgerSeal, LocalMasterKey, SigningKey]:
    folder = Path(tempfile.mkdtemp(prefix="stanch-simulation-"))
    seal = LedgerSeal(SecretValue(secrets.token_bytes(32)))
    return seal, LocalMasterKey(folder / "master.key"), SigningKey(folder / "checkpoint.key")


class Wall:
    """A surface that fails now and then."""

    name = "wall"

    def __init__(self, moment: Callable[[str], None]) -> None:
        self.shown: dict[int, Card] = {}
        self.posted: dict[int, int] = {}
        self._moment = moment

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        self._moment("publish")
        self.shown[card.incident] = card
        if at is None:
            self.posted[card.incident] = self.posted.get(card.incident, 0) + 1
        return at or CardRef(channel="C", ts=str(self.posted[card.incident]))
