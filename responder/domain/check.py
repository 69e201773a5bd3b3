"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from stanch.responder.domain.error import Retryable, StanchError


class State(StrEnum):
    """How it is."""

    GOOD = "good"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # it could not be looked at, which is not the same as wrong


class Check(NamedTuple):
    """``remedy`` is empty when nothing needs doing."""

    state: State
    area: str
    what: str
    remedy: str = ""


Look = Callable[[], Iterable[Check]]


def looked(area: str, look: Look) -> Iterator[Check]:
    """The checks of one area; an error that carries its remedy is a check that is wrong."""
    try:
        yield from look()
    except StanchError as error:
        yield Check(State.WRONG, area, str(error), error.remedy)
    except Retryable as error:
        yield Check(State.UNKNOWN, area, str(error), "look again when it answers")
