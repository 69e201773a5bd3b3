"""What a store answers. Absent, denied and unreachable are different, and never an empty value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue


class Stage(StrEnum):
    """Where a version stands on its way. A version without one is on its way out."""

    PENDING = "pending"
    CURRENT = "current"
    PREVIOUS = "previous"


Versions = Mapping[str, frozenset[Stage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The value, and which version it is."""

    value: SecretValue
    version: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Everything about a secret but its value. ``place`` is the store's own name for it."""

    place: str
    tags: Mapping[str, str] = field(default_factory=dict)
    versions: Versions = field(default_factory=dict)
    created_at: datetime | None = None
    changed_at: datetime | None = None  # its value or its tags, as far as the store tells
    used_at: datetime | None = None  # a day's precision where that is all there is
    deleted_at: datetime | None = None  # when it goes; nobody can read it until then either
    rotates_itself: bool = False
    note: str = ""  # what whoever is given it, or lists it, should be told

    def at(self, stage: Stage) -> str | None:
        """The version at this stage."""
        return next((name for name, stages in self.versions.items() if stage in stages), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One secret of a store. ``reference`` is None when its name does not follow our form."""

    reference: Reference | None
    described: Described


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Done, and this version is the one that was meant."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """The store answered: there is no such thing. ``remedy``: how it would come there."""

    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The store answered: not for us."""

    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No answer, or one that says nothing: whether it is there, or was done, is not known.

    ``remedy``: what would make it answer, where waiting does not.
    """

    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Nothing was written: the secret is not as the caller believed."""

    why: str


NotGiven = Absent | Denied | Unreachable
Read = Present | NotGiven
Look = Described | NotGiven
Write = Written | Conflict | NotGiven
