"""Between frozen dataclasses and rows whose columns carry the same names."""

from __future__ import annotations

import functools
from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar

from sqlalchemy import Row


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


R = TypeVar("R", bound=Record)


def values(record: Record) -> dict[str, Any]:
    """Column values of a record. Not ``asdict``: nested values must stay themselves."""
    return {name: getattr(record, name) for name in _names(type(record))}


def build(kind: type[R], row: Row[Any]) -> R:
    """The record in a row; columns that the record does not know are left out."""
    mapping = row._mapping  # noqa: SLF001  # the public accessor of SQLAlchemy's Row, despite its name
    return kind(**{name: mapping[name] for name in _names(kind)})


@functools.cache
def _names(kind: type[Record]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
