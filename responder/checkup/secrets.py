"""Secrets: is this place declared as it can be, and do its stores answer?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.lifecycle.backends.setting import SecretsSection
from stanch.responder.lifecycle.model.access import Access
from stanch.responder.lifecycle.model.answer import Denied, Unreachable
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.resolution.precedence import LOCAL
from stanch.responder.lifecycle.sdk.access_file import breaks, place_of
from stanch.responder.lifecycle.sdk.room import Room

_AREA = "secrets"
_FEW = 5


class _NoLog:
    """Nothing is opened here, so there is nothing to write down."""

    def record(self, access: Access) -> None:
        raise TypeError(f"a check opened {access.reference}")


def secrets(settings: Settings, *, offline: bool) -> Iterator[Check]:
    """What ``[secrets]`` promises; nothing where it says nothing. Only names are listed.

    Raises SecretsConfigError for what an environment must not have.
    """
    file = place_of(settings.data)
    if file.exists():
        yield _accesses(file)
    if settings.secrets == SecretsSection():
        return
    with Room(settings, log=_NoLog()) as room:
        course = room.course(room.place.environment)
        names = ", ".join(source.name for source in course.sources)
        service = room.place.service or "no service of its own"
        yield Check(State.GOOD, _AREA, f"{room.place.environment}, {service}: asks {names}")
        for source in course.sources:
            note = course.note(source)
            if note:
                yield Check(State.WRONG, _AREA, note, "docs/lifecycle/README.md says what instead")
            if source.name not in LOCAL and not offline:
                yield _store(source)


def _accesses(file: Path) -> Check:
    try:
        changed = list(islice(breaks(file), _FEW))
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}"
        return Check(State.WRONG, _AREA, said, "let this user read it, and nobody else write it")
    if not changed:
        return Check(State.GOOD, _AREA, f"{file}: each line follows from the one before")
    lines = ", ".join(map(str, changed))
    return Check(
        State.WRONG,
        _AREA,
        f"{file}: somebody changed it, or took lines out, before line {lines}",
        "find out who writes there, keep it as evidence, and begin a new one elsewhere",
    )


def _store(source: Backend) -> Check:
    first = next(iter(source.entries()), None)
    if isinstance(first, Denied):
        return Check(State.WRONG, _AREA, f"{source.name}: {first.why}", first.remedy)
    if isinstance(first, Unreachable):
        return Check(
            State.UNKNOWN,
            _AREA,
            f"{source.name}: {first.why}",
            first.remedy or "look when it answers",
        )
    has = "has secrets" if first is not None else "answers, and has no secret"
    return Check(State.GOOD, _AREA, f"{source.name} {has}")
