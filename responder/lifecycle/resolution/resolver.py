"""A reference becomes a value, or an error that says which of many things is not so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stanch.responder.lifecycle.model.access import Access, AccessLog, Asker, Outcome
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Denied,
    Described,
    Listed,
    NotGiven,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretDenied,
    SecretError,
    SecretRefused,
    SecretUnavailable,
)
from stanch.responder.lifecycle.model.metadata import Metadata
from stanch.responder.lifecycle.model.reference import SCHEME, Reference
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.resolution.judge import judged, require_belonging
from stanch.responder.lifecycle.resolution.precedence import Course
from stanch.scanner.model.secret import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A value that was given. ``notes`` are for whoever asked: deprecated, passed over."""

    reference: Reference
    value: SecretValue
    version: str
    source: str
    metadata: Metadata | None
    notes: tuple[str, ...] = ()
    read_at: datetime | None = None  # when its store gave it, if that may have been earlier


Fetch = Callable[[], tuple[Resolved, ...]]


class Keep(Protocol):
    """Keeps what was given, and what was refused, for a while."""

    def get(self, key: Reference, fetch: Fetch) -> tuple[Resolved, ...]:
        """What is kept, else what ``fetch`` gives; raises what that raises."""


class KeepNothing:
    """Every read asks the stores."""

    def get(self, key: Reference, fetch: Fetch) -> tuple[Resolved, ...]:
        """What they say now."""
        del key
        return fetch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A store that was asked and gave nothing."""

    source: str
    answer: NotGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A secret of a tool, and the store that keeps it."""

    source: Backend
    described: Described


class Resolver:
    """Asks the stores of the place's environment in order, judges, and records."""

    def __init__(
        self,
        *,
        place: Place,
        course: Callable[[Environment], Course],
        log: AccessLog,
        clock: Callable[[], datetime],
        keep: Keep | None = None,
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._place = place
        self._course = course
        self._log = log
        self._clock = clock
        self._keep = keep or KeepNothing()
        self._seconds = seconds

    def resolve(self, reference: Reference, asker: Asker) -> Resolved:
        """The value of a reference.

        Raises SecretRefused (its metadata lacks, or it does not belong here), SecretDenied,
        SecretAbsent (every store has answered), SecretUnavailable (one has not). The access is
        written down before anything is returned or raised, whatever the outcome, except in
        development.
        """
        took: list[float] = []  # of the store; empty when what is kept was given

        def fetch() -> tuple[Resolved, ...]:
            began = self._seconds()
            given = (self._resolve(reference),)
            took.append(self._seconds() - began)
            return given

        try:
            given = self._keep.get(reference, fetch)[0]
        except SecretError as error:
            self._record_failure(reference, asker, error)
            raise
        self._record_given(given, asker, seconds=took[0] if took else None)
        return given

    def resolve_tool(self, service: str, tool: str, asker: Asker) -> Mapping[str, Resolved]:
        """The values of all secrets of a tool by name: all of them or an error, as for one."""
        whole = Reference(service=service, environment=self._place.environment, tool=tool, name="*")
        try:
            given = self._keep.get(whole, lambda: tuple(self._resolve_all(whole)))
        except SecretError as error:
            self._record_failure(whole, asker, error)
            raise
        for each in given:
            self._record_given(each, asker)
        return {each.reference.name: each for each in given}

    def entries(self, service: str, tool: str) -> tuple[Mapping[Reference, Entry], tuple[str, ...]]:
        """The secrets of a tool in this place, each in the first store that lists it; and notes."""
        course = self._course(self._place.environment)
        under = f"{service}/{self._place.environment}/{tool}/"
        found: dict[Reference, Entry] = {}
        passed: list[Passed] = []
        for source in course.sources:
            for each in source.entries(under=under):
                if isinstance(each, Listed):
                    if each.reference is not None:
                        entry = Entry(source=source, described=each.described)
                        found.setdefault(each.reference, entry)
                    continue
                passed.append(Passed(source=source.name, answer=each))
                if not course.falls_back:
                    raise why_not(f"{SCHEME}{under}", passed)
        return found, _notes(passed)

    def judge(self, reference: Reference, entry: Entry) -> Metadata | None:
        """Whether an entry may be given here. Raises SecretRefused."""
        require_belonging(reference, None, self._place)
        return judged(
            reference,
            entry.described,
            entry.source,
            course=self._course(reference.environment),
            place=self._place,
        )

    def _resolve(self, reference: Reference) -> Resolved:
        require_belonging(reference, None, self._place)
        course = self._course(reference.environment)
        passed: list[Passed] = []
        for source in course.sources:
            look = source.describe(reference)
            if isinstance(look, Described):
                metadata = judged(reference, look, source, course=course, place=self._place)
                answer = source.read(reference)
                if not isinstance(answer, NotGiven):
                    return Resolved(
                        reference=reference,
                        value=answer.value,
                        version=answer.version,
                        source=source.name,
                        metadata=metadata,
                        notes=_notes(passed, course.note(source), look.note),
                    )
                look = answer
            passed.append(Passed(source=source.name, answer=look))
            if not isinstance(look, Absent) and not course.falls_back:
                break
        raise why_not(str(reference), passed)

    def _resolve_all(self, whole: Reference) -> Iterator[Resolved]:
        """All secrets of a tool: judged before any is opened, and read at once."""
        entries, notes = self.entries(whole.service, whole.tool)
        if not entries:
            raise SecretAbsent(
                f"there is no secret of {SCHEME}{_tool_path(whole)}",
                remedy="`stanch secrets list` shows what there is",
            )
        metadata = {each: self.judge(each, entry) for each, entry in entries.items()}
        for source in dict.fromkeys(each.source for each in entries.values()):
            mine = [ref for ref, each in entries.items() if each.source is source]
            note = self._course(self._place.environment).note(source)
            for each, answer in source.read_many(mine).items():
                if isinstance(answer, NotGiven):
                    raise why_not(str(each), [Passed(source=source.name, answer=answer)])
                yield Resolved(
                    reference=each,
                    value=answer.value,
                    version=answer.version,
                    source=source.name,
                    metadata=metadata[each],
                    notes=(*notes, *filter(None, (note, entries[each].described.note))),
                )

    def _record_given(self, given: Resolved, asker: Asker, *, seconds: float | None = None) -> None:
        self._record(
            Access(
                at=self._clock(),
                asker=asker,
                reference=given.reference,
                outcome=Outcome.GIVEN,
                source=given.source,
                version=given.version,
                detail=_from(given),
                seconds=seconds,
            )
        )

    def _record_failure(self, reference: Reference, asker: Asker, error: SecretError) -> None:
        self._record(
            Access(
                at=self._clock(),
                asker=asker,
                reference=reference,
                outcome=_OUTCOMES[type(error)],
                detail=str(error),
            )
        )

    def _record(self, access: Access) -> None:
        both = (access.reference.environment, self._place.environment)
        if any(each is not Environment.DEVELOPMENT for each in both):
            self._log.record(access)


_OUTCOMES: Mapping[type[SecretError], Outcome] = {
    SecretRefused: Outcome.REFUSED,
    SecretDenied: Outcome.DENIED,
    SecretAbsent: Outcome.ABSENT,
    SecretUnavailable: Outcome.UNREACHABLE,
}


def why_not(what: str, passed: list[Passed]) -> SecretError:
    """The worst of the answers: who has not been heard cannot be said to have nothing."""
    said = "; ".join(f"{each.source}: {each.answer.why}" for each in passed)
    # Where a store on this machine was asked as well, a line there is the shortest way.
    added = next(
        (
            each.answer.remedy
            for each in passed
            if isinstance(each.answer, Absent) and each.answer.remedy
        ),
        "",
    )
    for each in passed:
        if isinstance(each.answer, Unreachable):
            remedy = each.answer.remedy or (
                "try again when the store answers; `stanch doctor` checks the way to it"
            )
            return SecretUnavailable(
                f"{what}: {each.source} did not answer, so nobody knows whether it is there: "
                f"{said}",
                remedy=f"{added}; or {remedy}" if added else remedy,
            )
    for each in passed:
        if isinstance(each.answer, Denied):
            remedy = each.answer.remedy
            return SecretDenied(
                f"{what} was denied: {said}",
                remedy=f"{added}; or {remedy}" if added else remedy,
            )
    return SecretAbsent(
        f"there is no {what}: {said}",
        remedy=added or "`stanch secrets list` shows what there is",
    )


def _notes(passed: list[Passed], *more: str) -> tuple[str, ...]:
    notes = [
        f"{each.source} was passed over: {each.answer.why}"
        for each in passed
        if not isinstance(each.answer, Absent)
    ]
    return (*notes, *filter(None, more))


def _from(given: Resolved) -> str:
    return f"read from the store at {given.read_at:%H:%M:%S}" if given.read_at is not None else ""


def _tool_path(reference: Reference) -> str:
    return f"{reference.service}/{reference.environment}/{reference.tool}"
