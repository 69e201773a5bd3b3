"""What cannot be undone is approved by typing the incident's name, as in Slack."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from stanch.responder.cli.approve import _confirm
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.step import Effect


def question(effect: Effect) -> Any:
    return SimpleNamespace(
        approval=SimpleNamespace(incident=7), step=SimpleNamespace(effect=effect), preview="<22 b>"
    )


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)


def test_what_is_final_wants_the_name_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "prompt", lambda text: "lk-7 " if "LK-7" in text else "")
    _confirm(question(Effect.FINAL), refuse=False)
    monkeypatch.setattr(click, "prompt", lambda _: "LK-8")
    with pytest.raises(UsageError, match="that is not LK-7") as caught:
        _confirm(question(Effect.FINAL), refuse=False)
    assert "nothing was done" in caught.value.remedy


@pytest.mark.parametrize(("effect", "refuse"), [(Effect.READ, False), (Effect.FINAL, True)])
def test_what_changes_nothing_for_good_wants_a_yes(
    effect: Effect, monkeypatch: pytest.MonkeyPatch, *, refuse: bool
) -> None:
    monkeypatch.setattr(click, "prompt", lambda _: pytest.fail("nothing is typed"))
    _confirm(question(effect), refuse=refuse)
