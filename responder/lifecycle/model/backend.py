"""The port that every store of secrets implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from stanch.responder.lifecycle.model.answer import Denied, Listed, Look, Read, Unreachable, Write
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue


class Ability(StrEnum):
    """What a store can do beside reading. Calls for what it cannot raise ``Unsupported``."""

    CREATE = "create"
    ANNOTATE = "annotate"  # keeps metadata beside the value
    VERSIONS = "versions"  # older versions can be read
    STAGES = "stages"  # a pending version can be written, promoted and withdrawn
    GUARDED = "guarded"  # promotion is a compare-and-set; without it two writers can race
    RETRACT = "retract"  # an older version can be made unreadable
    DELETE = "delete"
    RECOVER = "recover"  # what is deleted can be had back for a while


class Backend(Protocol):
    """A store of secrets. Values are ``SecretValue`` from the first byte; answers never raise.

    Only a mistake in the configuration raises (``ConfigError``), and a call for an ability that
    the store has not (``Unsupported``). Implementations may be shared between threads.
    """

    @property
    def name(self) -> str:
        """As ``stanch.toml`` names it."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do."""

    def read(self, reference: Reference) -> Read:
        """The value of the version that the reference names."""

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """An answer for each, in as few calls as the store allows."""

    def describe(self, reference: Reference) -> Look:
        """Everything but the value; no version is opened for it."""

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """All secrets, or those whose ``path`` begins with ``under``.

        An answer that is none of them ends the list: it is not complete then.
        """

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        """A new secret; Conflict when there is one of this name."""

    def annotate(self, reference: Reference, tags: Mapping[str, str]) -> Write:
        """Set these tags and leave the others; the value is not touched."""

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        """A new version that nobody is given yet.

        The same ``token`` with the same value is the same version, with another value a Conflict,
        and so is a pending version of another token.
        """

    def read_pending(self, reference: Reference) -> Read:
        """The pending version, for whoever tests it."""

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        """Make ``pending`` the current version, if ``current`` still is: compare and set.

        Done already is Written too, so that it can be repeated after a lost answer.
        """

    def withdraw(self, reference: Reference, *, version: str) -> Write:
        """Take a pending or previous version out of use; Conflict when it is the current one."""

    def delete(self, reference: Reference, *, window: timedelta) -> Write:
        """Stop giving it now, remove it after ``window`` (0: at once, for good)."""

    def close(self) -> None:
        """Close all connections."""
