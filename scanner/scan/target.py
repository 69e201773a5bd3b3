"""Targets that are no path: each kind has a prefix, and gives a source when it is asked for.

To add one: its name and pattern here, and a function that makes the source in ``scanner.sources``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stanch.scanner.model.record import Record

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


_KINDS = (TargetKind(name="a container image", pattern=re.compile("image:."), scan=_image),)


def kind_of(target: str) -> TargetKind | None:
    """The kind that a target names; None for a path, which always goes first."""
    for kind in _KINDS:
        if kind.pattern.match(target) and not Path(target).exists():
            return kind
    return None
