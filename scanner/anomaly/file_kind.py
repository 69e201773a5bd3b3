"""What counts as the same kind of place: files of the same family in the same role."""

from __future__ import annotations

import re

_EXTENSION = re.compile(r"\.([a-z][a-z0-9]{0,7})$")
# Files whose authors follow other habits than those of the code around them. Only to compare like
# with like: what is normal in each is learned.
_ROLES = (
    ("lock", re.compile(r"(?:[-.]lock(?:\.\w+)?|lock\.(?:json|yaml)|\.sum|(?:^|/)record)$")),
    ("minified", re.compile(r"[-.]min\.\w+$")),
    ("test", re.compile(r"(?:^|/)(?:tests?|testing|spec|__tests__|fixtures?|testdata|examples?)/")),
    ("vendored", re.compile(r"(?:^|/)(?:vendor|_vendor|third_party|node_modules|dist)/")),
    ("doc", re.compile(r"(?:^|/)docs?/")),
)
_BARE = re.compile(r"[a-z][a-z_.-]{0,23}")


def kind_of(path: str) -> str:
    """The kind of file, e.g. ``py``, ``test py``, ``lock json``, ``makefile``.

    From the path alone, so that it is known before the content is read. A path without an
    extension counts by its name, or as ``text`` when that says nothing.
    """
    lower = path.lower()
    extension = _EXTENSION.search(lower)
    name = lower.rpartition("/")[2]
    family = extension[1] if extension else name if _BARE.fullmatch(name) else "text"
    for role, pattern in _ROLES:
        if pattern.search(lower):
            return f"{role} {family}"
    return family
