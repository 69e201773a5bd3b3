"""Tables that people name themselves, ``[watch.NAME]``: a mistake is said with that name."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import inspect

from stanch.responder.domain.error import ConfigError

_AT = re.compile(r" - at `\$\.(\w+)[^`]*`")
_MISSING = re.compile(r"missing required field `(\w+)`")
_UNKNOWN = "Invalid enum value "


def check(raw: Mapping[str, object], forms: Mapping[str, type[msgspec.Struct]], path: str) -> None:
    """Raises ConfigError that names file, table, key, and the values that there are."""
    for group, form in forms.items():
        entries = raw.get(group)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            try:
                msgspec.convert(entry, form)
            except msgspec.ValidationError as error:
                said, remedy = _said(form, str(error))
                raise ConfigError(f"{path}: [{group}.{name}] {said}", remedy=remedy) from None


def _said(form: type[msgspec.Struct], problem: str) -> tuple[str, str]:
    """The key and what is wrong with it, and what helps."""
    general = "docs/configuration.md lists every key with its type"
    missing, at = _MISSING.search(problem), _AT.search(problem)
    if missing is not None:
        values = _values(form, missing[1])
        return f"{missing[1]}: is missing", f"write one of {values}" if values else general
    if at is None:
        return problem, general
    said, values = _AT.sub("", problem), _values(form, at[1])
    if said.startswith(_UNKNOWN) and values:
        said = f"{said.removeprefix(_UNKNOWN)} is not known"
        return f"{at[1]}: {said}", f"write one of {values}"
    return f"{at[1]}: {said}", general


def _values(form: type[msgspec.Struct], key: str) -> str:
    """The values that a key can have, where they are few."""
    info = inspect.type_info(form)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    for each in fields:
        if each.name == key and isinstance(each.type, inspect.LiteralType):
            return ", ".join(map(str, each.type.values))
    return ""
