"""What runbooks, their parts and policies are written with: files, names, durations.

A part, ``parts/<id>.yaml``, holds steps that several runbooks share and take in by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.resources.abc import Traversable
from pathlib import Path

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.runbook import Phase
from stanch.responder.engine.document import Table, nearest, read

ID = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
_DURATION = re.compile(r"([1-9][0-9]{0,4})([smhd])\Z")
_PART = ("part", "title")
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


def load_parts(folder: Traversable | Path) -> dict[str, Table]:
    """All parts of ``folder/parts`` by id."""
    place = folder / "parts"
    written = files(place) if place.is_dir() else iter(())
    found = ((file.name, read(file.read_bytes(), file.name)) for file in written)
    return dict(_part(doc, name) for name, doc in found)


def _part(doc: Table, file: str) -> tuple[str, Table]:
    doc.check(known=(*_PART, *(phase.value for phase in Phase)), required=_PART)
    return named(doc, "part", file), doc


def included(doc: Table, parts: Mapping[str, Table]) -> Iterator[Table]:
    """The parts that a runbook names under ``include:``."""
    for name in doc.texts("include") if "include" in doc.entries else ():
        if name not in parts:
            raise RunbookError(
                f"{doc.where('include')}: no part {name!r}", remedy=nearest(name, parts)
            )
        yield parts[name]
