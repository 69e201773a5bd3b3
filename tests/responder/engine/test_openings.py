"""The record of openings grows with what is done, not with how often the world is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.run import StepRun
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import Effect, StepSpec
from stanch.responder.engine.context import Access, Context


def context(room: Any, *, parts: tuple[str, ...]) -> Context:
    taken = room.take()
    with room.store.transaction() as tx:
        incident = tx.incidents.get(taken.incident)
    spec = StepSpec(name="acme.look", title="Look", effect=Effect.READ, params=object, parts=parts)
    step = StepRun(
        run=RunId("r"), id="look", position=0, phase=Phase.CONTAIN, uses=spec.name,
        template={}, after=(), approval=None,
    )  # fmt: skip
    return Context(
        store=room.store,
        vault=room.vault,
        incident=incident,
        step=step,
        spec=spec,
        access=Access(born_in=(), opened=set()),
    )


def test_a_step_that_looks_again_and_again_opens_once_on_the_record(room: Any) -> None:
    ctx = context(room, parts=("value",))
    values = {ctx.open("value").reveal() for _ in range(20)}
    assert len(values) == 1
    assert len(room.recorded("secret.opened")) == 1


def test_a_part_that_is_not_declared_does_not_open(room: Any) -> None:
    with pytest.raises(StepFailed, match="does not declare"):
        context(room, parts=()).open("value")
    assert room.recorded("secret.opened") == []
