"""How domain values stand in columns: the same bytes in SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from stanch.responder.domain.json import JsonValue, canonical

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An instant as microseconds since 1970 UTC.

    SQLite has no time type and PostgreSQL's follows the session's time zone; an integer is exact,
    sorts, and means the same in both.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To microseconds; a naive datetime is a programming error."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone; use datetime.now(UTC)")
        return (value - _EPOCH) // _TICK

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """To an aware datetime in UTC."""
        del dialect
        return None if value is None else _EPOCH + value * _TICK


def clean(text: str) -> str:
    """``text`` with what no database takes (lone surrogates, NUL) written as escapes."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


class Words(TypeDecorator[str]):
    """Text from anywhere; see :func:`clean`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Text that every database accepts."""
        del dialect
        if value is None:
            return None
        return clean(value)


class Json(TypeDecorator[JsonValue]):
    """JSON in its canonical form. None is SQL NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: JsonValue | None, dialect: Dialect) -> str | None:
        """The canonical text."""
        del dialect
        return None if value is None else canonical(value).decode("ascii")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> JsonValue:
        """The parsed value."""
        del dialect
        parsed: JsonValue = None if value is None else json.loads(value)
        return parsed


class Names(TypeDecorator[tuple[str, ...]]):
    """A tuple of names as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """The canonical text."""
        del dialect
        return None if value is None else canonical(list(value)).decode("ascii")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...] | None:
        """The parsed tuple."""
        del dialect
        return None if value is None else tuple(json.loads(value))


class Choice(TypeDecorator[StrEnum]):
    """A member of a string enumeration, by value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, choices: type[StrEnum]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """The member's value."""
        del dialect
        return None if value is None else self.choices(value).value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> StrEnum | None:
        """The member."""
        del dialect
        return None if value is None else self.choices(value)
