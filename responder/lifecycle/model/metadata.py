"""What must be known of a secret before it is given to anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.kind import TARGETS, Kind
from stanch.responder.lifecycle.model.reference import Reference, is_word, parse
from stanch.responder.lifecycle.model.rotation import RotatorName

PREFIX = "stanch:"
"""Before each key where a store keeps it as a tag."""

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_PERIOD = re.compile(r"([1-9][0-9]{0,4})([hd])\Z")
_LONGEST = 200
_NOBODY = "none"


class Classification(StrEnum):
    """How bad it is when somebody sees what the secret opens."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Complete, so that it can be judged. ``tenant`` is ``none`` where there is only one."""

    owner: str
    service: str
    environment: Environment
    tenant: str
    classification: Classification
    rotation_period: timedelta
    last_rotated: datetime
    kind: Kind | None = None
    rotator: RotatorName | None = None
    rotation_admin: Reference | None = None

    def due_at(self) -> datetime:
        """When it is to be replaced: by its own period, or by that of its kind if that is less."""
        within = [self.rotation_period]
        if self.kind is not None:
            within.append(TARGETS[self.kind].within)
        return self.last_rotated + min(within)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a store's tags say: the metadata if it is complete, else what lacks and what is wrong.

    ``known`` has every key that is right, as text.
    """

    metadata: Metadata | None
    missing: tuple[str, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)  # by key: what it should be
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """What is not complete, in one phrase; empty when all is there."""
        said = [f"{', '.join(self.missing)} missing"] if self.missing else []
        said += [f"{key} is not {form}" for key, form in self.wrong.items()]
        return "; ".join(said)


def period(text: str) -> timedelta:
    """``90d`` or ``8h``. Raises ValueError."""
    found = _PERIOD.match(text)
    if found is None:
        raise ValueError
    return int(found[1]) * _UNITS[found[2]]


def period_text(length: timedelta) -> str:
    """As :func:`period` reads it."""
    hours = int(length.total_seconds()) // 3600
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


def instant(text: str) -> datetime:
    """A day or an instant of ISO 8601; UTC unless it says otherwise. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _owner(text: str) -> str:
    if not text.isprintable() or not text.strip() or len(text) > _LONGEST:
        raise ValueError
    return text.strip()


def _word(text: str) -> str:
    if not is_word(text):
        raise ValueError
    return text


def _reference(text: str) -> Reference:
    try:
        return parse(text)
    except UsageError as error:
        raise ValueError from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    read: Callable[[str], Any]
    form: str  # for messages
    example: str
    field: str = ""
    required: bool = True


KEYS: Mapping[str, _Key] = MappingProxyType(
    {
        "owner": _Key(read=_owner, form="the name of a team or person", example="payments-team"),
        "service": _Key(read=_word, form="a service as references name it", example="payments"),
        "environment": _Key(
            read=Environment, form=f"one of {', '.join(Environment)}", example="prod"
        ),
        "tenant": _Key(read=_word, form="a tenant, or none", example=_NOBODY),
        "data-classification": _Key(
            read=Classification,
            form=f"one of {', '.join(Classification)}",
            example="confidential",
            field="classification",
        ),
        "rotation-period": _Key(
            read=period, form="a period such as 90d or 8h", example="90d", field="rotation_period"
        ),
        "last-rotated": _Key(
            read=instant,
            form="a day or instant such as 2026-11-30",
            example="2026-11-30",
            field="last_rotated",
        ),
        "kind": _Key(
            read=Kind, form=f"one of {', '.join(Kind)}", example="api-key", required=False
        ),
        "rotator": _Key(
            read=RotatorName,
            form=f"one of {', '.join(RotatorName)}",
            example="postgresql",
            required=False,
        ),
        "rotation-admin": _Key(
            read=_reference,
            form="the reference of a secret that may set passwords",
            example="secret://payments/prod/postgresql/admin",
            field="rotation_admin",
            required=False,
        ),
    }
)
REQUIRED = tuple(name for name, key in KEYS.items() if key.required)


def read(tags: Mapping[str, str]) -> Reading:
    """Metadata from a store's tags, with or without :data:`PREFIX`; other tags say nothing."""
    values: dict[str, Any] = {}
    known: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, key in KEYS.items():
        text = tags.get(PREFIX + name, tags.get(name, ""))
        if not text:
            continue
        try:
            values[key.field or name] = key.read(text)
        except ValueError:
            wrong[name] = key.form
        else:
            known[name] = text
    missing = tuple(name for name in REQUIRED if name not in known and name not in wrong)
    whole = None if missing or wrong else Metadata(**values)
    return Reading(metadata=whole, missing=missing, wrong=wrong, known=known)
