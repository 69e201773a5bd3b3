"""A reference becomes a value, or an error that says which of many things is not so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.lifecycle.model.access import Access, AccessLog, Asker, Outcome
from stanch.responder.lifecycle.model.answer import Absent, Denied, Described, NotGiven, Unreachable
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretDenied,
    SecretError,
    SecretRefused,
    SecretUnavailable,
)
from stanch.responder.lifecycle.model.metadata import KEYS, Metadata, Reading, read
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.model.segregation import Place, breaches
from stanch.responder.lifecycle.resolution.precedence import LOCAL, Course
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A store that was asked and gave nothing."""

    source: str
    answer: NotGiven


class Resolver:
    """Asks the stores of the place's environment in order, judges, and records."""

    def __init__(
        self,
        *,
        place: Place,
        course: Callable[[Environment], Course],
        log: AccessLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._place = place
        self._course = course
        self._log = log
        self._clock = clock

    @property
    def place(self) -> Place:
        """Where secrets would be used."""
        return self._place

    def resolve(self, reference: Reference, asker: Asker) -> Resolved:
        """The value of a reference.

        Raises SecretRefused (its metadata lacks, or it does not belong here), SecretDenied,
        SecretAbsent (every store has answered), SecretUnavailable (one has not). The access is
        written down before anything is returned or raised, whatever the outcome, except in
        development.
        """
        try:
            given = self._resolve(reference)
        except SecretError as error:
            self._record(reference, asker, outcome=_outcome(error), detail=str(error))
            raise
        self._record(
            reference,
            asker,
            outcome=Outcome.GIVEN,
            source=given.source,
            version=given.version,
        )
        return given

    def _resolve(self, reference: Reference) -> Resolved:
        self._require_belonging(reference, None)
        course = self._course(reference.environment)
        passed: list[Passed] = []
        for source in course.sources:
            look = source.describe(reference)
            if isinstance(look, Described):
                metadata = self._judged(reference, look, source, course)
                answer = source.read(reference)
                if not isinstance(answer, NotGiven):
                    return Resolved(
                        reference=reference,
                        value=answer.value,
                        version=answer.version,
                        source=source.name,
                        metadata=metadata,
                        notes=_notes(course, source, passed),
                    )
                look = answer
            passed.append(Passed(source=source.name, answer=look))
            if not isinstance(look, Absent) and not course.falls_back:
                break
        raise _why_not(reference, passed)

    def _judged(
        self, reference: Reference, look: Described, source: Backend, course: Course
    ) -> Metadata | None:
        if look.deleted_at is not None:
            raise SecretRefused(
                f"{reference} is being deleted from {source.name}: it is given to nobody",
                remedy="take it back there if that was a mistake; `stanch secrets list` shows it",
            )
        reading = read(look.tags)
        lenient = course.lenient and source.name in LOCAL
        if reading.metadata is None and not lenient:
            raise SecretRefused(
                f"{reference} is not given: its metadata in {source.name} is not complete: "
                f"{reading.problem}",
                remedy=how_to_complete(reference, reading, source, look),
            )
        self._require_belonging(reference, reading.metadata)
        return reading.metadata

    def _require_belonging(self, reference: Reference, metadata: Metadata | None) -> None:
        found = breaches(reference, metadata, self._place)
        if found:
            raise SecretRefused(
                f"{reference} is not given: {'; '.join(each.why for each in found)}",
                remedy="ask for this place's own secret, or mend [secrets] in stanch.toml; "
                "`stanch secrets list` shows what there is",
            )

    def _record(
        self,
        reference: Reference,
        asker: Asker,
        *,
        outcome: Outcome,
        source: str = "",
        version: str = "",
        detail: str = "",
    ) -> None:
        recorded = (reference.environment, self._place.environment)
        if all(each is Environment.DEVELOPMENT for each in recorded):
            return
        self._log.record(
            Access(
                at=self._clock(),
                asker=asker,
                reference=reference,
                outcome=outcome,
                source=source,
                version=version,
                detail=detail,
            )
        )


def how_to_complete(
    reference: Reference, reading: Reading, source: Backend, look: Described
) -> str:
    """The next thing to type: a command, or the comment above the variable."""
    keys = [*reading.missing, *reading.wrong]
    if Ability.ANNOTATE not in source.abilities:
        said = " ".join(f"{key}={KEYS[key].example}" for key in keys)
        return f"write above {look.place}: # stanch: {said}"
    implied = {"service": reference.service, "environment": str(reference.environment)}
    options = " ".join(f"--{key} {implied.get(key, KEYS[key].example)}" for key in keys)
    return f"run: stanch secrets annotate {reference.current} {options}"


def _notes(course: Course, source: Backend, passed: list[Passed]) -> tuple[str, ...]:
    notes = [
        f"{each.source} was passed over: {each.answer.why}"
        for each in passed
        if not isinstance(each.answer, Absent)
    ]
    note = course.note(source)
    return (*notes, note) if note else tuple(notes)


def _why_not(reference: Reference, passed: list[Passed]) -> SecretError:
    """The worst of the answers: who has not been heard cannot be said to have nothing."""
    said = "; ".join(f"{each.source}: {each.answer.why}" for each in passed)
    for each in passed:
        if isinstance(each.answer, Unreachable):
            return SecretUnavailable(
                f"{reference} is not known: {said}",
                remedy="try again when the store answers; `stanch doctor` checks the way to it",
            )
    for each in passed:
        if isinstance(each.answer, Denied):
            return SecretDenied(
                f"{reference} was denied: {said}",
                remedy=each.answer.remedy,
            )
    return SecretAbsent(
        f"there is no {reference}: {said}",
        remedy="`stanch secrets list` shows what there is",
    )


def _outcome(error: SecretError) -> Outcome:
    known = {
        SecretRefused: Outcome.REFUSED,
        SecretDenied: Outcome.DENIED,
        SecretAbsent: Outcome.ABSENT,
        SecretUnavailable: Outcome.UNREACHABLE,
    }
    return known[type(error)]
