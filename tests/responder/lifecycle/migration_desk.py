"""A migration to try: a store in memory over our port, and a person's files."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.backends.setting import SecretsSection
from stanch.responder.lifecycle.migration.guard import Guard
from stanch.responder.lifecycle.migration.journal import LedgerJournal
from stanch.responder.lifecycle.migration.listing import read_listing
from stanch.responder.lifecycle.migration.plan import Judge, Plan, Wishes, make_plan
from stanch.responder.lifecycle.migration.proof import SLO, Prover
from stanch.responder.lifecycle.migration.repository import Repository
from stanch.responder.lifecycle.migration.result import Phase, Result
from stanch.responder.lifecycle.migration.run import Migration, Orders
from stanch.responder.lifecycle.model.access import Access, Asker
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    Listed,
    Look,
    Present,
    Read,
    Stage,
    Unreachable,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.resolution.precedence import course
from stanch.responder.lifecycle.resolution.resolver import Resolver
from stanch.scanner.api import FingerprintKey
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import Room

ME = Asker(actor="cli:alice", where="desk/1", account="alice")
KEY = FingerprintKey(SecretValue(secrets.token_bytes(32)))
TAGS = {
    "owner": "shop-team",
    "data-classification": "confidential",
    "rotation-period": "90d",
    "last-rotated": "2026-11-30",
}
SHOP = Place(environment=Environment.PRODUCTION, service="shop")
STRIPE = parse("secret://shop/prod/stripe/api-key")
VALUE = f"of-the-test-{secrets.token_hex(8)}"


class Killed(BaseException):
    """What a kill is to the code that it ends: nothing catches it."""


@dataclass
class Memory(ReadOnly):
    """A store in memory, over the port; a call may be the last one, before or after its effect."""

    name = "secrets-manager"
    abilities = frozenset({Ability.CREATE, Ability.STAGES})
    kept: dict[str, tuple[SecretValue, dict[str, str]]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    kill_at: int = -1
    away: bool = False
    lost_answers: bool = False
    calls: int = 0

    def read(self, reference: Reference) -> Read:
        self._called()
        if self.away:
            return Unreachable(why="no answer")
        found = self.kept.get(reference.path)
        if found is None:
            return Absent(why="none")
        return Present(value=found[0], version="1")

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        return {each: self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        self._called()
        if self.away:
            return Unreachable(why="no answer")
        found = self.kept.get(reference.path)
        if found is None:
            return Absent(why="none")
        versions = {"1": frozenset({Stage.CURRENT})}
        return Described(place=reference.path, tags=found[1], versions=versions)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        raise NotImplementedError

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        self._called()
        if reference.path in self.kept:
            return Conflict(why="it exists")
        self.kept[reference.path] = (value, dict(tags))
        self.created.append(reference.path)
        self._called()  # killed behind the effect, before anybody hears of it
        return Unreachable(why="no answer") if self.lost_answers else Written(version="1")

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        del token
        self.pending = (reference.path, value)
        return Written(version="2")

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        assert (pending, current) == ("2", "1")
        path, value = self.pending
        assert path == reference.path
        self.kept[path] = (value, self.kept[path][1])
        return Written(version="2")

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed


class Unwritten:
    """A record of accesses for who does not look at it."""

    def record(self, access: Access) -> None:
        del access


def told(name: str, value: SecretValue) -> bool:
    return "KEY" in name or "PASSWORD" in name or name == "TOKEN" or value.reveal() == b"leak"


def prints(value: SecretValue) -> str:
    return KEY.fingerprint("generic", "generic", value)


def judge(store: Memory) -> Judge:
    return Judge(
        place=SHOP,
        store=store,
        is_secret=told,
        fingerprint=prints,
        opened=lambda *_: None,
    )


def planned(store: Memory, *paths: Path, wishes: Wishes | None = None) -> Plan:
    wanted = wishes or Wishes(tags=TAGS)
    return make_plan(map(read_listing, paths), judge(store), wanted, {})


def verdicts(plan: Plan) -> list[tuple[str, str]]:
    return [(row.variable.name, str(row.verdict)) for row in plan.rows]


@dataclass(kw_only=True)
class Desk:
    """A migration of some files, made anew for each run as a new process would make it."""

    store: Memory
    room: Room
    paths: tuple[Path, ...]
    check: Callable[[Plan], Result] | None = None
    seconds: Callable[[], float] = lambda: 0.0

    def migration(self) -> Migration:
        resolver = Resolver(
            place=SHOP,
            course=lambda env: course(env, SecretsSection().sources(), lambda _: self.store),
            log=Unwritten(),
            clock=lambda: datetime.now(UTC),
        )
        return Migration(
            id="m",
            listings=tuple(map(read_listing, self.paths)),
            judge=judge(self.store),
            wishes=Wishes(tags=TAGS),
            prover=Prover(
                store=self.store,
                resolve=lambda reference: resolver.resolve(reference, ME),
                identity="alice",
                fingerprint=prints,
                seconds=self.seconds,
                reads=2,
            ),
            guard=Guard(
                store=self.store,
                fingerprint=prints,
                opened=lambda *_: None,
                leaks=lambda text: tuple(
                    n for n, line in enumerate(text.split(b"\n"), 1) if VALUE.encode() in line
                ),
                repository=Repository.of,
            ),
            check=self.check,
            journal=LedgerJournal(
                self.room.store, actor="cli:alice", clock=lambda: datetime.now(UTC)
            ),
            terms={},
        )

    def run(self, *, guard: bool = True, apply: bool = True) -> dict[Phase, Result]:
        orders = Orders(apply=apply, guard=guard, slo=SLO)
        return {each.phase: each for each in self.migration().run(orders)}
