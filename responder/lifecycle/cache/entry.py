"""What is kept of an answer: values or a refusal, when the store said it, and under which token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretDenied,
    SecretError,
    SecretRefused,
    SecretUnavailable,
)
from stanch.responder.lifecycle.model.metadata import Metadata
from stanch.responder.lifecycle.model.reference import parse
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.scanner.model.secret import SecretValue

_ERRORS: Mapping[str, type[SecretError]] = MappingProxyType(
    {
        "absent": SecretAbsent,
        "denied": SecretDenied,
        "refused": SecretRefused,
        "unavailable": SecretUnavailable,
    }
)
_KINDS = {error: kind for kind, error in _ERRORS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """Values that were given: one, or all of a tool."""

    given: tuple[Resolved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A refusal. ``count``: how many times in a row."""

    kind: str
    message: str
    remedy: str
    count: int = 1

    @classmethod
    def of(cls, error: SecretError, *, count: int) -> Bad:
        """An error, to be raised again."""
        return cls(kind=_KINDS[type(error)], message=str(error), remedy=error.remedy, count=count)

    def error(self, note: str = "") -> SecretError:
        """A new exception each time: one that is shared collects tracebacks."""
        return _ERRORS[self.kind](self.message + note, remedy=self.remedy)


Answer = Good | Bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A store that does not answer: since when, how many calls, when the next one is due."""

    since: float  # wall clock
    count: int
    retry_at: float  # monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An answer in this process. Instants but ``said_at`` are of the clock that never jumps."""

    answer: Answer
    generation: str
    said_at: float
    since: float  # when the store was asked: what changed later may not be in it
    fresh_until: float
    waits_from: float  # from then on it is not given without having been asked for anew
    ends_at: float
    outage: Outage | None = None


class _Value(msgspec.Struct, frozen=True, array_like=True):
    reference: str
    source: str
    version: str
    value: bytes
    metadata: Metadata | None
    notes: tuple[str, ...]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is sealed. ``said_at`` is in it: a writer of the Redis cannot renew it."""

    said_at: float
    refusal: tuple[str, str, str, int] | None
    values: tuple[_Value, ...]

    @property
    def answer(self) -> Answer:
        """As it was."""
        if self.refusal is not None:
            kind, message, remedy, count = self.refusal
            return Bad(kind=kind, message=message, remedy=remedy, count=count)
        return Good(given=tuple(_resolved(each, self.said_at) for each in self.values))


_DECODER = msgspec.msgpack.Decoder(Kept)


def encode(answer: Answer, *, said_at: float) -> SecretValue:
    """The bytes that are sealed."""
    match answer:
        case Good():
            kept = Kept(said_at, None, tuple(map(_value, answer.given)))
        case Bad():
            said = (answer.kind, answer.message, answer.remedy, answer.count)
            kept = Kept(said_at, said, ())
    return SecretValue(msgspec.msgpack.encode(kept))


def decode(opened: SecretValue) -> Kept | None:
    """What :func:`encode` made; None for what an older version wrote in another form."""
    try:
        return _DECODER.decode(opened.reveal())
    except msgspec.MsgspecError:
        return None


def dated(answer: Good, *, said_at: float) -> Good:
    """The same, saying when the store gave it."""
    at = datetime.fromtimestamp(said_at, UTC)
    return Good(given=tuple(replace(each, read_at=at) for each in answer.given))


def _value(given: Resolved) -> _Value:
    return _Value(
        str(given.reference),
        given.source,
        given.version,
        given.value.reveal(),
        given.metadata,
        given.notes,
    )


def _resolved(value: _Value, said_at: float) -> Resolved:
    return Resolved(
        reference=parse(value.reference),
        value=SecretValue(value.value),
        version=value.version,
        source=value.source,
        metadata=value.metadata,
        notes=value.notes,
        read_at=datetime.fromtimestamp(said_at, UTC),
    )
