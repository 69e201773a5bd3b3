"""Targets that are no path: each kind has a prefix, and gives a source when it is asked for.

To add one: its name and pattern here, and a function that makes the source in ``scanner.sources``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display

if TYPE_CHECKING:
    from stanch.scanner.scan.scanner import Scanner
    from stanch.scanner.scan.stage import Scan


class Scans(Protocol):
    """Makes the scan of a target; with ``parts`` the matches hold the values, for the vault."""

    def __call__(self, scanner: Scanner, target: str, *, parts: bool) -> Scan:
        """The scan, not begun. Raises :class:`UsageError` for a target that says nothing."""


class TargetKind(Record):
    """What a target names that is no path of this machine."""

    name: str  # as a message says it: "a container image"
    pattern: re.Pattern[str]
    scan: Scans


def _image(scanner: Scanner, target: str, *, parts: bool) -> Scan:
    return scanner.scan_image(target.partition(":")[2], parts=parts)


def _agents(scanner: Scanner, target: str, *, parts: bool) -> Scan:
    """Of this user, or of the home directory that is named."""
    named = target.partition(":")[2]
    home = Path(named) if named else Path.home()
    if not home.is_dir():
        raise UsageError(
            f"there is no home directory {display(str(home))}",
            remedy="name one that exists, or none for your own: stanch scan agents:",
        )
    project, environ = (None, {}) if named else (Path.cwd(), os.environ)
    return scanner.scan_agents(home, project, environ, parts=parts)


_KINDS = (
    TargetKind(name="a container image", pattern=re.compile("image:."), scan=_image),
    TargetKind(name="what AI assistants keep", pattern=re.compile("agents:"), scan=_agents),
)


def kind_of(target: str) -> TargetKind | None:
    """The kind that a target names; None for a path, which always goes first."""
    for kind in _KINDS:
        if kind.pattern.match(target) and not Path(target).exists():
            return kind
    return None


def place_of(target: str) -> Path:
    """Whose rules and accepted findings count: what is elsewhere has the current folder's."""
    return Path("." if kind_of(target) is not None else target)
