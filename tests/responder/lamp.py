"""A small world of lamps, and steps that light, darken and smash them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.runbook import Phase, RunbookStep
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    Present,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)


@dataclass(slots=True)
class Lamps:
    """The world that fake steps change. ``script`` says what the next calls do instead."""

    lit: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    script: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    boundaries: list[tuple[str, str]] = field(default_factory=list)
    crash: Callable[[str, str], None] | None = None

    def then(self, what: str, lamp: str, *answers: Any) -> None:
        """The next calls of ``what`` for ``lamp`` give these answers; exceptions are raised."""
        self.script.setdefault((what, lamp), []).extend(answers)

    def next(self, what: str, lamp: str) -> Any:
        self.calls.append((what, lamp))
        waiting = self.script.get((what, lamp))
        answer = waiting.pop(0) if waiting else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def acts(self) -> list[str]:
        """The lamps that were acted on, in order."""
        return [lamp for what, lamp in self.calls if what in {"act", "undo"}]

    def trace(self, step: str, boundary: str) -> None:
        self.boundaries.append((step, boundary))
        if self.crash is not None:
            self.crash(step, boundary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """The parameters of all fake steps."""

    lamp: str
    colour: str = "white"


class _Fake:
    spec: ClassVar[StepSpec]

    def __init__(self, lamps: Lamps) -> None:
        self.lamps = lamps

    def calls(self, params: Lamp, preview: str) -> tuple[Call, ...]:
        return (
            Call(api=self.spec.name, arguments={"lamp": params.lamp, "colour": params.colour}),
            Call(api="about", arguments={"preview": preview}),
        )


class Look(_Fake):
    spec = StepSpec(
        name="lamp.look",
        title="Look at",
        effect=Effect.READ,
        params=Lamp,
        outputs=("seen",),
        proves=True,
    )

    def look(self, params: Lamp, ctx: StepContext) -> Verdict:
        answer: Verdict | None = self.lamps.next("look", params.lamp)
        if answer is not None and not (isinstance(answer, Verified) and answer.claim is None):
            return answer
        claim = Claim(
            what=f"the lamp {params.lamp}", validity=Validity.DEAD, how="dark", seen_at=ctx.now()
        )
        seen = answer or Verified(evidence={}, outputs={"seen": params.lamp})
        return replace(seen, claim=claim)


class Watch(Look):
    """Sees more the later it looks."""

    spec = replace(Look.spec, name="lamp.watch", title="Watch", grows=True)


class Light(_Fake):
    """Lights a lamp; can be undone."""

    spec = StepSpec(
        name="lamp.light",
        title="Light",
        effect=Effect.REVERSIBLE,
        params=Lamp,
        undo="lamp.darken",
        outputs=("seen",),
    )
    does = "act"

    def observe(self, params: Lamp, ctx: StepContext) -> Present | Absent:
        del ctx
        answer: Present | Absent | None = self.lamps.next("observe", params.lamp)
        if answer is not None:
            return answer
        if self.reached(params.lamp):
            return Present(evidence={"lit": params.lamp})
        return Absent(before={"lamp": params.lamp})

    def act(self, params: Lamp, ctx: StepContext) -> JsonObject:
        del ctx
        before = self.lamps.next(self.does, params.lamp)
        self.lamps.lit ^= {params.lamp}
        if before == "answer lost":
            raise ConnectionError("cut off")
        return {"did": params.lamp}

    def verify(self, params: Lamp, ctx: StepContext) -> Verdict:
        del ctx
        answer: Verdict | None = self.lamps.next("verify", params.lamp)
        return answer or Verified(evidence={"lit": params.lamp}, outputs={"seen": params.lamp})

    def reached(self, lamp: str) -> bool:
        return lamp in self.lamps.lit


class Darken(Light):
    spec = StepSpec(name="lamp.darken", title="Darken", effect=Effect.FINAL, params=Lamp)
    does = "undo"

    def reached(self, lamp: str) -> bool:
        return lamp not in self.lamps.lit


class Smash(Light):
    """Cannot be undone."""

    spec = StepSpec(name="lamp.smash", title="Smash", effect=Effect.FINAL, params=Lamp)


class SmashCopy(Light):
    """Of a copy, not of the lamp that matters; cannot be undone."""

    spec = replace(Smash.spec, name="copy.smash", title="Smash the copy", aside=True)


class Cover(Light):
    """Of a copy; can be undone."""

    spec = replace(Light.spec, name="copy.cover", title="Cover the copy", aside=True)


def line(
    name: str,
    uses: str = "lamp.light",
    *,
    after: tuple[str, ...] = (),
    approval: str | None = None,
    phase: Phase = Phase.CONTAIN,
    **params: str,
) -> RunbookStep:
    """One line of a runbook; a step's lamp is called like the step."""
    return RunbookStep(
        id=name,
        phase=phase,
        uses=uses,
        params={"lamp": name, **params},
        after=after,
        approval=approval,
        origin="test.yaml:1",
    )


def lamp_steps(lamps: Lamps) -> dict[str, Any]:
    kinds: tuple[Any, ...] = (Look, Watch, Light, Darken, Smash, SmashCopy, Cover)
    return {kind.spec.name: kind(lamps) for kind in kinds}
