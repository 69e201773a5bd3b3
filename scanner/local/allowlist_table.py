"""Reads ``[[scan.allowlists]]``: every value checked, each mistake named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from stanch.scanner.model.allowlist import Allowlist

_LISTS = ("paths", "path_regexes", "rules", "regexes")
_KEYS = (*_LISTS, "reason", "expires")
_MOST = 1_000  # tables, and entries of a list
_LONGEST = 1_000  # characters


class AllowlistError(ValueError):
    """What is wrong with a table, and what helps."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def allowlists(value: object) -> tuple[Allowlist, ...]:
    """The tables as values. Raises :class:`AllowlistError`."""
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise AllowlistError(
            "`allowlists` is no list of tables", remedy="begin each with [[scan.allowlists]]"
        )
    if len(value) > _MOST:
        raise AllowlistError(
            f"more than {_MOST:,} allowlists", remedy="join those that belong together"
        )
    return tuple(map(_allowlist, value))


def _allowlist(table: Mapping[str, object]) -> Allowlist:
    for key in table:
        if key not in _KEYS:
            raise AllowlistError(
                f"unknown key `{key}` in [[scan.allowlists]]", remedy=f"use {', '.join(_KEYS)}"
            )
    lists = {key: _texts(table.get(key, []), key) for key in _LISTS}
    if not any(lists.values()):
        raise AllowlistError(
            "an allowlist without paths, rules or regexes would allow everything",
            remedy='name what it is about: paths = ["vendor/*"]',
        )
    reason = table.get("reason")
    if not isinstance(reason, str) or not re.search(r"\w{2}", reason):
        raise AllowlistError(
            "an allowlist gives no reason", remedy='say why: reason = "third-party code"'
        )
    expires = table.get("expires")
    if isinstance(expires, datetime) or not isinstance(expires, date | None):
        raise AllowlistError("`expires` is no day", remedy="write expires = 2027-01-31")
    return Allowlist(reason=" ".join(reason.split())[:400], expires=expires, **lists)


def _texts(value: object, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise AllowlistError(f"`{key}` is no list of texts", remedy=f'write {key} = ["…"]')
    if len(value) > _MOST or any(len(each) > _LONGEST for each in value):
        raise AllowlistError(
            f"`{key}` is longer than {_MOST:,} entries of {_LONGEST:,} characters",
            remedy="name folders instead of files",
        )
    return tuple(value)
