"""How incidents are called, and what a step must declare."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label, parse_label
from stanch.responder.domain.json import canonical
from stanch.responder.domain.step import Effect, StepSpec


@pytest.mark.parametrize("text", ["LK-7", "lk-7", "7", "  LK-7\n"])
def test_an_incident_is_found_by_its_label_or_number(text: str) -> None:
    assert parse_label(text) == IncidentId(7)
    assert parse_label(label(IncidentId(7))) == IncidentId(7)


@pytest.mark.parametrize(
    "text",
    ["", "LK-", "LK-0", "0", "LK-07", "-1", "LK-7x", "LK 7", "LK-7\nLK-8", "1" * 11, "\u0667"],
)
def test_what_is_not_a_label_is_answered_with_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_label(text)
    assert "LK-7" in caught.value.remedy


@pytest.mark.parametrize(
    ("effect", "undo"),
    [(Effect.REVERSIBLE, None), (Effect.READ, "other"), (Effect.FINAL, "other")],
)
def test_only_a_reversible_step_names_its_undo_and_it_must(
    effect: Effect, undo: str | None
) -> None:
    with pytest.raises(ValueError, match="undo"):
        StepSpec(name="a.b", title="A", effect=effect, params=object, undo=undo)


def test_canonical_json_has_one_form() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == b'{"a":"\\u00e9","b":[1,null]}'


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    nothing: Any = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        canonical(nothing)
