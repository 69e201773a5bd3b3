"""The kinds of secrets, and how often each is to be replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a secret is, as metadata spells it."""

    API_KEY = "api-key"  # and tokens
    DATABASE = "database"
    KEY_ENCRYPTION_KEY = "kek"
    DATA_ENCRYPTION_KEY = "dek"
    MACHINE_IDENTITY = "machine-identity"
    HUMAN_ACCESS = "human-access"


class Trigger(StrEnum):
    """What makes a secret due at once, whatever its age."""

    COMPROMISE = "compromise"
    PERSONNEL = "personnel-change"
    EVENT = "event"
    USE = "use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The longest life that a kind should have, and what ends it earlier."""

    within: timedelta
    triggers: frozenset[Trigger]


def _target(within: timedelta, *triggers: Trigger) -> Target:
    return Target(within=within, triggers=frozenset({Trigger.COMPROMISE, *triggers}))


TARGETS: Mapping[Kind, Target] = MappingProxyType(
    {
        Kind.API_KEY: _target(timedelta(days=90)),  # a vendor's shorter period counts
        Kind.DATABASE: _target(timedelta(days=30), Trigger.PERSONNEL),
        Kind.KEY_ENCRYPTION_KEY: _target(timedelta(days=365)),
        Kind.DATA_ENCRYPTION_KEY: _target(timedelta(days=90), Trigger.EVENT),
        Kind.MACHINE_IDENTITY: _target(timedelta(hours=24)),
        Kind.HUMAN_ACCESS: _target(timedelta(hours=8), Trigger.USE),
    }
)
