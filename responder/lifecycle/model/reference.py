"""``secret://service/environment/tool/name[?version=…]``: a secret's one name, wherever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stanch.responder.lifecycle.model.environment import LONG, Environment
from stanch.responder.lifecycle.model.error import NotAReference

SCHEME = "secret://"
FORM = "secret://SERVICE/ENVIRONMENT/TOOL/NAME"
PREVIOUS = "previous"
_LONGEST = 512
_WORD = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?\Z")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_PARTS = ("service", "environment", "tool", "name")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reference:
    """A parsed reference. ``version`` is a store's own id, ``previous``, or empty: the current."""

    service: str
    environment: Environment
    tool: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        """As it is written; :func:`parse` gives it back."""
        asked = f"?version={self.version}" if self.version else ""
        return f"{SCHEME}{self.path}{asked}"

    @property
    def path(self) -> str:
        """``service/environment/tool/name``."""
        return f"{self.service}/{self.environment}/{self.tool}/{self.name}"

    @property
    def current(self) -> Reference:
        """The same secret, whatever version was asked for."""
        return replace(self, version="") if self.version else self


def parse(text: str) -> Reference:
    """A reference from its text; NotAReference says which part is wrong, and how it is written.

    What does not begin as a reference is not repeated in the message: it may be a value.
    """
    if not text.startswith(SCHEME):
        raise NotAReference(
            f"this is no reference: it does not begin with {SCHEME}", remedy=f"write it as {FORM}"
        )
    if len(text) > _LONGEST or not text.isprintable():
        raise NotAReference(
            f"a reference is printable and has at most {_LONGEST} characters",
            remedy=f"write it as {FORM}",
        )
    path, asked, query = text.removeprefix(SCHEME).partition("?")
    parts = path.split("/")
    if len(parts) != len(_PARTS):
        raise _wrong(text, f"it has {len(parts)} parts, not {len(_PARTS)}", f"write it as {FORM}")
    for what, word in zip(_PARTS, parts, strict=True):
        if not _WORD.match(word):
            raise _wrong(
                text,
                f"{word!r} is no {what}",
                "a part has 1 to 63 of a-z 0-9 . _ - and begins and ends with a letter or digit",
            )
    service, environment, tool, name = parts
    version = _version(text, query) if asked else ""
    return Reference(
        service=service,
        environment=_environment(text, environment),
        tool=tool,
        name=name,
        version=version,
    )


def is_word(text: str) -> bool:
    """Whether this could be one part of a reference."""
    return _WORD.match(text) is not None


def _environment(text: str, word: str) -> Environment:
    if word in tuple(Environment):
        return Environment(word)
    known = LONG.get(word)
    raise _wrong(
        text,
        f"{word!r} is no environment",
        f"write {known!r}" if known else f"use one of {', '.join(Environment)}",
    )


def _version(text: str, query: str) -> str:
    key, equals, version = query.partition("=")
    if key != "version" or not equals:
        raise _wrong(
            text, f"{query!r} is not understood", "behind ? stands version=ID and nothing else"
        )
    if version == "pending":
        raise _wrong(
            text, "a pending version is not given", "it is given once it is tested and current"
        )
    if not _VERSION.match(version):
        raise _wrong(text, f"{version!r} is no version", "name a version's id, or `previous`")
    return "" if version == "current" else version


def _wrong(text: str, why: str, remedy: str) -> NotAReference:
    return NotAReference(f"{text}: {why}", remedy=remedy)
