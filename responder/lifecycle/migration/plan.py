"""What would be done with each variable. Nothing is written."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stanch.responder.lifecycle.backends.naming import reference_of
from stanch.responder.lifecycle.migration.listing import Listing, Variable
from stanch.responder.lifecycle.migration.result import Line, Phase, Result, State
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Described,
    Look,
    NotGiven,
    Present,
    Read,
)
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.metadata import KEYS, read
from stanch.responder.lifecycle.model.reference import SCHEME, Reference, parse
from stanch.responder.lifecycle.model.segregation import Place
from stanch.scanner.model.secret import SecretValue


class Verdict(StrEnum):
    """What is to be done with a variable."""

    CREATE = "create"
    PRESENT = "present"  # the store has this value already
    REPLACE = "replace"  # the store has another one, and we are told to put ours there
    MOVED = "moved"  # a reference that an earlier run of this migration has put here
    PLAIN = "plain"  # no secret: it stays where it is
    REFERENCE = "reference"
    EMPTY = "empty"
    CONFLICT = "conflict"
    AMBIGUOUS = "ambiguous"  # given twice, with different values
    SHARED = "shared"  # two names for one value
    COMPOSED = "composed"
    INCOMPLETE = "metadata"
    UNNAMED = "unnamed"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"  # the store does not answer


MOVES = frozenset({Verdict.CREATE, Verdict.PRESENT, Verdict.REPLACE})
TAKEN = MOVES | {Verdict.MOVED}
IN_THE_WAY = frozenset(
    {
        Verdict.CONFLICT,
        Verdict.AMBIGUOUS,
        Verdict.SHARED,
        Verdict.COMPOSED,
        Verdict.INCOMPLETE,
        Verdict.UNNAMED,
    }
)
NOT_SEEN = frozenset({Verdict.UNREADABLE, Verdict.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One variable of the plan."""

    variable: Variable
    verdict: Verdict
    reference: Reference | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    version: str = ""  # that the store has now
    detail: str = ""

    @property
    def value(self) -> SecretValue:
        """The value that is to be moved."""
        assert self.variable.value is not None  # noqa: S101  # UNREADABLE rows are never moved
        return self.variable.value

    @property
    def line(self) -> Line:
        """For people and the record."""
        return Line(
            name=self.variable.name,
            said=str(self.verdict),
            reference=str(self.reference) if self.reference else "",
            place=self.variable.place,
            detail=self.detail,
            fingerprint=self.fingerprint,
            version=self.version,
            bad=self.verdict in IN_THE_WAY | NOT_SEEN,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person says about single variables, by name, and the metadata for all."""

    names: Mapping[str, Reference] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    replace: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What the plan asks: the store, whether a variable tells of a secret, what a value is like.

    ``opened`` is told of every value of the store that is compared.
    """

    place: Place
    store: Backend
    is_secret: Callable[[str, SecretValue], bool]
    fingerprint: Callable[[SecretValue], str]
    opened: Callable[[Reference, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All rows. ``digest`` is that of what is to be moved, however far an earlier run came."""

    rows: tuple[Row, ...]
    digest: str

    def moves(self) -> tuple[Row, ...]:
        """The rows whose values are to be in the store, one for each reference."""
        found = {str(row.reference): row for row in self.rows if row.verdict in MOVES}
        return tuple(found.values())

    def references(self) -> tuple[Reference, ...]:
        """Every reference of the migration, also those that an earlier run has put into files."""
        wanted = {row.reference for row in self.rows if row.reference and row.verdict in TAKEN}
        return tuple(sorted(wanted))

    def result(self) -> Result:
        """For people and the record."""
        counts = Counter(row.verdict for row in self.rows)
        state = State.DONE
        if any(row.verdict in IN_THE_WAY for row in self.rows):
            state = State.FAILED
        elif any(row.verdict in NOT_SEEN for row in self.rows):
            state = State.INCOMPLETE
        summary = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
        return Result(
            phase=Phase.PLAN,
            state=state,
            summary=summary or "no variables",
            lines=tuple(row.line for row in self.rows),
        )


def make_plan(
    listings: Iterable[Listing], judge: Judge, wishes: Wishes, written: Mapping[str, str]
) -> Plan:
    """Judge every variable; ``written``: fingerprints by reference, of earlier runs."""
    variables = [each for listing in listings for each in listing.variables]
    rows = [_row(each, judge, wishes, written) for each in variables]
    rows = list(_apart(rows))
    known = {
        (str(row.reference), row.fingerprint)
        for row in rows
        if row.reference and row.verdict in TAKEN
    }
    digest = hashlib.sha256(repr(sorted(known)).encode()).hexdigest()[:16]
    return Plan(rows=tuple(rows), digest=digest)


def _row(variable: Variable, judge: Judge, wishes: Wishes, written: Mapping[str, str]) -> Row:
    value = variable.value
    if value is None:
        why = "the list has its name only: put its value into the store, or rotate it"
        return Row(variable=variable, verdict=Verdict.UNREADABLE, detail=why)
    text = value.reveal()
    if not text:
        return Row(variable=variable, verdict=Verdict.EMPTY)
    if text.startswith(SCHEME.encode()):
        return _referring(variable, text.decode(), written)
    telling = variable.name not in wishes.plain and judge.is_secret(variable.name, value)
    if not telling and variable.name not in wishes.secret:
        return Row(variable=variable, verdict=Verdict.PLAIN)
    if b"${" in text:
        why = "it is put together from other variables: write it out, then migrate"
        return Row(variable=variable, verdict=Verdict.COMPOSED, detail=why)
    return _placed(variable, value, judge, wishes)


def _referring(variable: Variable, text: str, written: Mapping[str, str]) -> Row:
    reference = parse(text).current
    fingerprint = written.get(str(reference), "")
    return Row(
        variable=variable,
        verdict=Verdict.MOVED if fingerprint else Verdict.REFERENCE,
        reference=reference,
        fingerprint=fingerprint,
    )


def _placed(variable: Variable, value: SecretValue, judge: Judge, wishes: Wishes) -> Row:
    place = judge.place
    reference = wishes.names.get(variable.name) or reference_of(
        variable.name, service=place.service, environment=place.environment
    )
    fingerprint = judge.fingerprint(value)
    if reference is None:
        why = f"say --map {variable.name}={SCHEME}{place.service or 'SERVICE'}/"
        why += f"{place.environment}/TOOL/NAME"
        return Row(variable=variable, verdict=Verdict.UNNAMED, detail=why, fingerprint=fingerprint)
    implied = {
        "service": reference.service,
        "environment": str(reference.environment),
        "tenant": place.tenant,
    }
    tags = read({**implied, **variable.tags, **wishes.tags})
    verdict, detail, version = _against(reference, value, judge, wishes, variable.name)
    if verdict in {Verdict.CREATE, Verdict.UNKNOWN} and tags.problem:
        lacking = (*tags.missing, *tags.wrong)
        options = " ".join(f"--{key} {KEYS[key].example}" for key in lacking)
        if verdict is Verdict.CREATE:
            verdict, detail = Verdict.INCOMPLETE, f"{tags.problem}: say {options}"
        else:
            detail += f"; if it is new, {tags.problem}: say {options}"
    return Row(
        variable=variable,
        verdict=verdict,
        reference=reference,
        tags=tags.known,
        fingerprint=fingerprint,
        version=version,
        detail=detail,
    )


def _against(
    reference: Reference, value: SecretValue, judge: Judge, wishes: Wishes, name: str
) -> tuple[Verdict, str, str]:
    """How it stands with what the store has."""
    found: Read = judge.store.read(reference)
    look = judge.store.describe(reference)
    if not isinstance(found, Present):
        return (*_not_read(found, look, judge.store.name), "")
    judge.opened(reference, found.version)
    if judge.fingerprint(found.value) == judge.fingerprint(value):
        return (*_same(reference, look), found.version)
    if name in wishes.replace:
        return Verdict.REPLACE, "its value in the store is replaced, as told", found.version
    why = f"{judge.store.name} has another value: say --overwrite {name}, or --plain {name}"
    return Verdict.CONFLICT, why, found.version


def _not_read(found: NotGiven, look: Look, store: str) -> tuple[Verdict, str]:
    if not isinstance(found, Absent):
        return Verdict.UNKNOWN, found.why
    if isinstance(look, Described):
        return Verdict.CONFLICT, f"{store} has it without a value that can be read"
    return (Verdict.CREATE, "") if isinstance(look, Absent) else (Verdict.UNKNOWN, look.why)


def _same(reference: Reference, look: Look) -> tuple[Verdict, str]:
    if not isinstance(look, Described):
        return Verdict.UNKNOWN, look.why
    problem = read(look.tags).problem
    if problem:
        return Verdict.INCOMPLETE, f"in the store {problem}: stanch secrets annotate {reference}"
    return Verdict.PRESENT, ""


def _apart(rows: Iterable[Row]) -> Iterable[Row]:
    """No reference for two values, no value under two references."""
    rows = list(rows)
    prints: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.reference and row.fingerprint:
            prints[str(row.reference)].add(row.fingerprint)
            names[row.fingerprint].add(str(row.reference))
    for row in rows:
        if row.verdict not in MOVES:
            yield row
        elif len(prints[str(row.reference)]) > 1:
            why = "it is given more than once, with different values"
            yield _but(row, Verdict.AMBIGUOUS, why)
        elif len(others := names[row.fingerprint]) > 1:
            why = "one value under several names: map them to one with --map; "
            why += ", ".join(sorted(each for each in others if each != str(row.reference)))
            yield _but(row, Verdict.SHARED, why)
        else:
            yield row


def _but(row: Row, verdict: Verdict, detail: str) -> Row:
    return Row(
        variable=row.variable,
        verdict=verdict,
        reference=row.reference,
        fingerprint=row.fingerprint,
        detail=detail,
    )
