"""What runbooks and policies are written with alike: files of a folder, names, durations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources.abc import Traversable
from pathlib import Path

from stanch.responder.domain.error import RunbookError
from stanch.responder.engine.document import Table

ID = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
_DURATION = re.compile(r"([1-9][0-9]{0,4})([smhd])\Z")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def files(folder: Traversable | Path) -> Iterator[Traversable | Path]:
    """The YAML files of a folder, by name."""
    if not folder.is_dir():
        raise RunbookError(f"{folder} is not a folder", remedy="name a folder with runbooks")
    found = [file for file in folder.iterdir() if file.name.endswith((".yaml", ".yml"))]
    yield from sorted(found, key=lambda file: file.name)


def named(doc: Table, key: str, file: str) -> str:
    """The name in the file, which must be the file's."""
    name = doc.text(key)
    if not ID.match(name) or file.rpartition(".")[0] != name:
        raise RunbookError(
            f"{doc.where(key)}: {key} {name!r} must be the file's name, in a-z, 0-9 and -",
            remedy=f"write `{key}: {file.rpartition('.')[0]}` or rename the file",
        )
    return name


def duration(text: str, where: str) -> timedelta:
    """``4h`` as a span of time."""
    found = _DURATION.match(text)
    if not found:
        raise RunbookError(
            f"{where}: {text!r} is not a duration",
            remedy="write a number and s, m, h or d, for example 4h",
        )
    return timedelta(**{_UNIT[found[2]]: int(found[1])})


def span(doc: Table, key: str) -> timedelta | None:
    """The duration under ``key``; None when the key is absent."""
    return duration(doc.text(key), doc.where(key)) if key in doc.entries else None
