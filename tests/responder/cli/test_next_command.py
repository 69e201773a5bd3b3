"""Every error of the responder ends in the next command to type."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from stanch.responder.cli.main import _ending
from stanch.responder.domain.error import StanchError, UsageError

_COMMAND = re.compile(r"`stanch [a-z-]+[^`]*`\Z")


def kinds(of: type[StanchError]) -> Iterator[type[StanchError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds(StanchError)), ids=lambda kind: kind.__name__)
def test_an_error_whose_remedy_names_no_command_gets_one(
    kind: type[StanchError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["stanch", "close", "LK-1"])
    error = Exception.__new__(kind)
    ended = _ending(error, "do what is right")
    assert ended.startswith("do what is right; next: ")
    assert _COMMAND.search(ended)


def test_a_mistake_in_a_command_line_ends_in_the_help_of_that_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["stanch", "close", "LK-1"])
    assert _ending(UsageError("x", remedy="y"), "y") == "y; next: `stanch close --help`"
    monkeypatch.setattr(sys, "argv", ["stanch", "\x1b[2J"])
    assert _ending(UsageError("x", remedy="y"), "y") == "y; next: `stanch --help`"


def test_a_remedy_that_names_a_command_is_left_as_it_is() -> None:
    said = "`stanch incidents` lists them"
    assert _ending(UsageError("x", remedy=said), said) == said
