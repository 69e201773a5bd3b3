"""A small world of keys: it lags, throttles, loses answers, and strangers change it.

Every change is true at once and seen later, by each replica at its own moment; a look asks one of
them. The world keeps what was true when, so that a claim can be held against it afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, ClassVar

from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    NotYet,
    Present,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.scanner.model.secret import SecretValue

LAG = timedelta(seconds=4)
SOON = timedelta(milliseconds=400)
REPLICAS = 3


class Status(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """A thing became something: true at ``at``, seen by each replica when its time comes."""

    at: datetime
    value: str
    seen_at: tuple[datetime, ...]


@dataclass(slots=True, kw_only=True)
class World:
    """``things`` are keys, denials and secrets by name. ``moment`` is told of every call twice."""

    random: Random
    clock: Callable[[], datetime]
    things: dict[str, list[Change]] = field(default_factory=dict)
    meddled: dict[str, datetime] = field(default_factory=dict)  # when a stranger changed it
    acts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    finals: list[tuple[str, str]] = field(default_factory=list)
    moment: Callable[[str], None] = lambda _: None
    on_final: Callable[[StepContext], None] = lambda _: None
    on_lifting: Callable[[StepContext], None] = lambda _: None
    on_containing: Callable[[StepContext], None] = lambda _: None

    def put(self, name: str, value: str) -> None:
        now = self.clock()
        seen = tuple(now + LAG * self.random.random() for _ in range(REPLICAS))
        self.things.setdefault(name, []).append(Change(now, value, seen))

    def meddle(self, name: str, value: str) -> None:
        self.meddled[name] = self.clock()
        self.put(name, value)

    def true(self, name: str, at: datetime | None = None) -> str:
        """What holds now, or held then."""
        when = at or self.clock()
        changes = [c.value for c in self.things.get(name, ()) if c.at <= when]
        return changes[-1] if changes else ""

    def look(self, name: str) -> str:
        """What one replica says now."""
        self.moment("read")
        replica, now = self.random.randrange(REPLICAS), self.clock()
        seen = [c.value for c in self.things.get(name, ()) if c.seen_at[replica] <= now]
        return seen[-1] if seen else ""

    def act(self, ctx: StepContext, name: str, value: str) -> JsonObject:
        """Change it; the call may be throttled, cut off on its way, or its answer lost."""
        self.moment("act")
        if self.true(name) != value:
            self.acts[ctx.run, ctx.step, name] += 1
            self.put(name, value)
        self.moment("answer")
        return {"request": f"{ctx.step} {name}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the steps are about. ``before`` and ``key`` are what an undo is told."""

    user: str
    key: str
    replacement: str = ""
    before: Any = None


class _Step:
    spec: ClassVar[StepSpec]

    def __init__(self, world: World) -> None:
        self.world = world

    def calls(self, params: Target, preview: str) -> tuple[Call, ...]:
        return (Call(api=self.spec.name, arguments={"key": params.key, "preview": preview}),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No parameters."""


class Owner(_Step):
    spec = StepSpec(
        name="sim.owner", title="Find the owner", effect=Effect.READ, params=Nothing,
        parts=("value",), outputs=("user", "key"),
    )  # fmt: skip

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:  # type: ignore[override]  # its own parameters
        del params
        return (Call(api=self.spec.name, arguments={"preview": preview}),)

    def look(self, params: Nothing, ctx: StepContext) -> Verdict:
        del params
        key = ctx.open("value").reveal().decode()
        self.world.moment("read")
        return Verified(evidence={}, outputs={"user": "deployer", "key": key})


class _Proof(_Step):
    refused: ClassVar[frozenset[str]]

    def look(self, params: Target, ctx: StepContext) -> Verdict:
        seen = [self.world.look(params.key) for _ in range(3)]
        if not self.refused.issuperset(seen):
            return NotYet(why=f"still {seen}", after=SOON)
        if ctx.now() - ctx.started_at <= LAG:
            return NotYet(why="it may not have settled", after=SOON)
        seen_at = ctx.now()
        # The last look decides, and it asks every replica.
        if any(c.value not in self.refused for c in self._seen(params.key, seen_at)):
            return NotYet(why="a replica still takes it", after=SOON)
        claim = Claim(what="the key", validity=Validity.DEAD, how="tried", seen_at=seen_at)
        return Verified(evidence={}, outputs={"seen": str(seen_at)}, claim=claim)

    def _seen(self, key: str, now: datetime) -> list[Change]:
        changes = self.world.things.get(key, [])
        newest = changes[-1:]
        return newest + [
            [c for c in changes if c.seen_at[replica] <= now][-1]
            for replica in range(REPLICAS)
            if any(c.seen_at[replica] <= now for c in changes)
        ]


class ProveContained(_Proof):
    spec = StepSpec(
        name="sim.contained", title="Prove contained", effect=Effect.READ, params=Target,
        outputs=("seen",), proves=True,
    )  # fmt: skip
    refused = frozenset({Status.INACTIVE, Status.DELETED})


class ProveDead(_Proof):
    spec = StepSpec(
        name="sim.dead", title="Prove dead", effect=Effect.READ, params=Target,
        outputs=("seen",), proves=True,
    )  # fmt: skip
    refused = frozenset({Status.DELETED})


class _Change(_Step):
    wanted: ClassVar[str]
    lifts: ClassVar[bool] = False

    def name(self, params: Target) -> str:
        return params.key

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        del ctx
        seen = self.world.look(self.name(params))
        if seen == self.wanted:
            return Present(evidence={"seen": seen})
        return Absent(before={"value": seen})

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        (self.world.on_lifting if self.lifts else self.world.on_containing)(ctx)
        return self.world.act(ctx, self.name(params), self.wanted)

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        del ctx
        seen = self.world.look(self.name(params))
        if seen != self.wanted:
            return NotYet(why=f"still {seen}", after=SOON)
        return Verified(evidence={"seen": seen})


class Disable(_Change):
    spec = StepSpec(
        name="sim.disable", title="Disable", effect=Effect.REVERSIBLE, params=Target,
        undo="sim.enable",
    )  # fmt: skip
    wanted = Status.INACTIVE

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        if self.world.true(params.key) == Status.DELETED:
            return Present(evidence={"seen": "deleted"})
        return super().observe(params, ctx)

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        if self.world.true(params.key) == Status.DELETED:
            return Verified(evidence={"seen": "deleted"})
        return super().verify(params, ctx)


class Enable(_Change):
    spec = StepSpec(name="sim.enable", title="Enable", effect=Effect.FINAL, params=Target)
    wanted = Status.ACTIVE
    lifts = True

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        if self.world.true(params.key) == Status.DELETED:
            raise StepFailed("the key is gone", remedy="make another")
        return super().observe(params, ctx)


class Deny(_Change):
    spec = StepSpec(
        name="sim.deny", title="Deny", effect=Effect.REVERSIBLE, params=Target,
        undo="sim.allow", shares="user",
    )  # fmt: skip
    wanted = "denied"

    def name(self, params: Target) -> str:
        return f"policy of {params.key}"


class Allow(Deny):
    spec = StepSpec(
        name="sim.allow", title="Allow", effect=Effect.FINAL, params=Target, shares="user"
    )
    wanted = ""
    lifts = True


class Replace(_Step):
    """Makes a key under the step's idempotency key, and seals it before anything else."""

    spec = StepSpec(
        name="sim.replace", title="Replace", effect=Effect.REVERSIBLE, params=Target,
        undo="sim.withdraw", outputs=("key",),
    )  # fmt: skip

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        del params
        made = f"new-{ctx.idempotency_key}"
        if self.world.true(made) and ctx.sealed("replacement") is not None:
            return Present(evidence={"key": made})
        return Absent()

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        del params
        made = f"new-{ctx.idempotency_key}"
        if ctx.sealed("replacement") is None:
            ctx.seal("replacement", {"key": SecretValue(made.encode())})
        return self.world.act(ctx, made, Status.ACTIVE)

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        del params
        made = ctx.open_sealed("replacement", "key").reveal().decode()
        if self.world.look(made) != Status.ACTIVE:
            return NotYet(why="not there yet", after=SOON)
        return Verified(evidence={}, outputs={"key": made})


class Withdraw(_Step):
    spec = StepSpec(name="sim.withdraw", title="Withdraw", effect=Effect.FINAL, params=Target)

    def _made(self, ctx: StepContext) -> str:
        if ctx.sealed("replacement") is None:
            return ""
        return ctx.open_sealed("replacement", "key").reveal().decode()

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        made = self._made(ctx)
        if self.world.true(f"secret of {params.key}") == made and made:
            raise StepFailed("the consumer uses it", remedy="move the consumer first")
        if self.world.true(made) in {"", Status.DELETED}:
            return Present(evidence={})
        return Absent()

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        del params
        return self.world.act(ctx, self._made(ctx), Status.DELETED)

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        del params
        gone = self.world.true(self._made(ctx)) in {"", Status.DELETED}
        return Verified(evidence={}) if gone else Refuted(why="it is back", remedy="look")


class Promote(_Step):
    spec = StepSpec(
        name="sim.promote", title="Promote", effect=Effect.REVERSIBLE, params=Target,
        undo="sim.restore",
    )  # fmt: skip

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        del ctx
        held = self.world.true(f"secret of {params.key}")
        self.world.moment("read")
        if held == params.replacement:
            return Present(evidence={})
        return Absent(before={"held": held})

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        return self.world.act(ctx, f"secret of {params.key}", params.replacement)

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        del ctx
        held = self.world.true(f"secret of {params.key}")
        if held != params.replacement:
            return Refuted(why="somebody else changed the secret", remedy="look at it")
        return Verified(evidence={})


class Restore(_Step):
    """Gives the consumer its old key back, if nobody has changed the secret since."""

    spec = StepSpec(name="sim.restore", title="Restore", effect=Effect.FINAL, params=Target)

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        del ctx
        held, back = self.world.true(f"secret of {params.key}"), params.before["held"]
        if held == back:
            return Present(evidence={})
        if held != params.replacement:
            raise StepFailed("somebody else changed the secret", remedy="look at it")
        if self.world.true(back) != Status.ACTIVE:
            raise StepFailed("the old key does not work", remedy="look at it")
        return Absent()

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        return self.world.act(ctx, f"secret of {params.key}", params.before["held"])

    def verify(self, params: Target, ctx: StepContext) -> Verdict:
        del ctx
        held = self.world.true(f"secret of {params.key}")
        if held != params.before["held"]:
            return Refuted(why="somebody else changed the secret", remedy="look at it")
        return Verified(evidence={})


class Delete(_Change):
    spec = StepSpec(
        name="sim.delete", title="Delete", effect=Effect.FINAL, params=Target,
    )  # fmt: skip
    wanted = Status.DELETED

    def observe(self, params: Target, ctx: StepContext) -> Present | Absent:
        if self.world.true(f"secret of {params.key}") == params.key:
            raise StepFailed("the consumer uses it still", remedy="move the consumer first")
        return super().observe(params, ctx)

    def act(self, params: Target, ctx: StepContext) -> JsonObject:
        self.world.on_final(ctx)
        return super().act(params, ctx)


STEPS: tuple[Any, ...] = (
    Owner, ProveContained, ProveDead, Disable, Enable, Deny, Allow, Replace, Withdraw,
    Promote, Restore, Delete,
)  # fmt: skip


def throttle() -> None:
    raise Retryable("throttled", after=timedelta(seconds=1))
