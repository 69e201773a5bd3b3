"""What every host's list of repositories has in common. One file for each host's interface.

``github:ORG[/REPO]``, ``gitlab:GROUP``, ``bitbucket:WORKSPACE``, and with a host of your own in
front of it ``github:ghe.example.com/ORG``; ``gitea:HOST/ORG``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.http.answer import Answer, HttpError
from stanch.scanner.sources.http.client import Client

_NAME = re.compile(r"[\w.~-]+(?:/[\w.~-]+)*")
_LOOPBACK = ("127.0.0.1", "localhost")


class Listed(Record):
    """A repository that a host lists. ``wiki`` is the address of its wiki, None where it has none.

    A host may offer a wiki that was never begun, so one that ``is_wiki`` may lack. ``changed`` is
    what the host says of its last change, in the host's words: equal words mean that nothing was
    pushed. ``home`` is the host that has listed it, "" of one that somebody has named.
    """

    name: str
    url: str
    wiki: str | None = None
    is_wiki: bool = False
    changed: str = ""
    home: str = ""


Row = dict[str, object]
Lists = Callable[[Client, str, str], Iterator[Listed]]
"""The repositories of an owner at a host, by its interface."""


class Owner(Record):
    """Whose repositories are asked for, and where."""

    provider: str
    host: str
    name: str


def owner_of(provider: str, text: str, default: str | None) -> Owner:
    """What ``[HOST/]NAME`` names; raises :class:`UsageError` when it names nobody."""
    first, _, rest = text.strip("/").partition("/")
    own = bool(rest) and ("." in first or ":" in first or first in _LOOPBACK)
    host, name = (first, rest) if own or default is None else (default, text.strip("/"))
    if not _NAME.fullmatch(name):
        here = f"{provider}:NAME, or " if default else ""
        remedy = f"write {here}{provider}:HOST/NAME for a host of your own"
        raise UsageError(f"{provider}:{text} names nobody's repositories", remedy=remedy)
    return Owner(provider=provider, host=host.lower(), name=name)


def base(host: str) -> str:
    """The address of a host; only this machine is asked without TLS."""
    plain = host.partition(":")[0] in _LOOPBACK
    return f"{'http' if plain else 'https'}://{host}"


def one(answer: Answer, read: Callable[[Row], Listed]) -> Listed:
    """The one repository that an answer is about."""
    found = answer.json()
    return read(found if isinstance(found, dict) else {})


def rows(answer: Answer, *keys: str) -> list[Row]:
    """The objects of a page; raises :class:`HttpError` for what is no such page."""
    found = answer.json()
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise HttpError(
            f"{answer.url} is no list of repositories", remedy="is that the host's interface?"
        )
    return found


def text(row: Row, key: str) -> str:
    """A text of a row; raises :class:`HttpError` when there is none."""
    value = row.get(key)
    if not isinstance(value, str):
        raise HttpError(f"a listed repository has no {key}", remedy="is that the host's interface?")
    return value


def wiki_of(url: str) -> str:
    """The address of a repository's wiki, where GitHub, GitLab and Gitea keep it."""
    return f"{url.removesuffix('.git')}.wiki.git"
