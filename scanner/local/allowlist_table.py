"""Reads ``[[scan.allowlists]]``: every value checked, each mistake named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.nearest import nearest

_LISTS = ("paths", "path_regexes", "rules", "regexes")
_KEYS = (*_LISTS, "reason", "expires")
_MOST = 1_000  # tables, and entries of a list
_LONGEST = 1_000  # characters


def allowlists(value: object, place: Callable[[int], str]) -> tuple[Allowlist, ...]:
    """The tables as values; ``place`` says where the nth of them stands.

    Raises :class:`UsageError` that names it.
    """
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise UsageError(
            f"{place(1)}: `allowlists` is no list of tables",
            remedy="begin each with [[scan.allowlists]]",
        )
    if len(value) > _MOST:
        raise UsageError(
            f"{place(1)}: more than {_MOST:,} allowlists", remedy="join those that belong together"
        )
    return tuple(_allowlist(each, place(number)) for number, each in enumerate(value, 1))


def _allowlist(table: Mapping[str, object], place: str) -> Allowlist:
    for key in table:
        if key not in _KEYS:
            raise UsageError(
                f"{place}: unknown key `{key}` in [[scan.allowlists]]", remedy=nearest(key, _KEYS)
            )
    lists = {key: _texts(table.get(key, []), key, place) for key in _LISTS}
    if not any(lists.values()):
        raise UsageError(
            f"{place}: an allowlist without paths, rules or regexes would allow everything",
            remedy='name what it is about: paths = ["vendor/*"]',
        )
    reason = table.get("reason")
    if not isinstance(reason, str) or not re.search(r"\w{2}", reason):
        raise UsageError(
            f"{place}: an allowlist gives no reason", remedy='say why: reason = "third-party code"'
        )
    expires = table.get("expires")
    if isinstance(expires, datetime) or not isinstance(expires, date | None):
        raise UsageError(f"{place}: `expires` is no day", remedy="write expires = 2027-01-31")
    return Allowlist(reason=" ".join(reason.split())[:400], expires=expires, origin=place, **lists)


def _texts(value: object, key: str, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise UsageError(f"{place}: `{key}` is no list of texts", remedy=f'write {key} = ["…"]')
    if len(value) > _MOST or any(len(each) > _LONGEST for each in value):
        raise UsageError(
            f"{place}: `{key}` is longer than {_MOST:,} entries of {_LONGEST:,} characters",
            remedy="name folders instead of files",
        )
    return tuple(value)
