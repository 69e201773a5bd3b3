"""Targets that are no path: each kind has a prefix, and gives a source when it is asked for.

To add one: its name and pattern here, and a function that makes the source in ``scanner.sources``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display

if TYPE_CHECKING:
    from stanch.scanner.scan.scanner import Scanner
    from stanch.scanner.scan.stage import Asked, Scan


Scans = Callable[["Scanner", str, "Asked"], "Scan"]
"""Makes the scan of a target. Raises :class:`UsageError` for one that names nothing."""


class TargetKind(Record):
    """What a target names that is no path of this machine."""

    name: str  # as a message says it: "a container image"
    pattern: re.Pattern[str]
    scan: Scans
    git: bool = False  # has a history


def _image(scanner: Scanner, target: str, asked: Asked) -> Scan:
    return scanner.scan_image(target.partition(":")[2], parts=asked.parts)


def _log(scanner: Scanner, target: str, asked: Asked) -> Scan:
    return scanner.scan_log(target.partition(":")[2], parts=asked.parts)


def _agents(scanner: Scanner, target: str, asked: Asked) -> Scan:
    """Of this user, or of the home directory that is named."""
    named = target.partition(":")[2]
    home = Path(named) if named else Path.home()
    if not home.is_dir():
        raise UsageError(
            f"there is no home directory {display(str(home))}",
            remedy="name one that exists, or none for your own: stanch scan agents:",
        )
    project, environ = (None, {}) if named else (Path.cwd(), os.environ)
    return scanner.scan_agents(home, project, environ, parts=asked.parts)


def _url(scanner: Scanner, target: str, asked: Asked) -> Scan:
    from stanch.scanner.scan.remote import repository  # noqa: PLC0415  # most scans do without

    return scanner.scan_remote(repository(target), asked, many=False)


def _owner(scanner: Scanner, target: str, asked: Asked) -> Scan:
    from stanch.scanner.scan.remote import owned  # noqa: PLC0415  # as above

    provider, _, name = target.partition(":")
    return scanner.scan_remote(owned(provider, name), asked, many=True)


_KINDS = (
    TargetKind(name="a container image", pattern=re.compile("image:."), scan=_image),
    TargetKind(name="a log", pattern=re.compile("log:."), scan=_log),
    TargetKind(name="what AI assistants keep", pattern=re.compile("agents:"), scan=_agents),
    TargetKind(
        name="an owner's repositories",
        pattern=re.compile("(?:github|gitlab|gitea|bitbucket):(?!//)"),
        scan=_owner,
        git=True,
    ),
    TargetKind(
        name="a repository on another host",
        # Also what is refused: a scheme that git would take for a program.
        pattern=re.compile(r"[a-z][a-z0-9+.-]*:(?:://|//|:)|[\w.-]+@[\w.-]+:", re.IGNORECASE),
        scan=_url,
        git=True,
    ),
)


def kind_of(target: str) -> TargetKind | None:
    """The kind that a target names; None for a path, which always goes first."""
    for kind in _KINDS:
        if kind.pattern.match(target) and not Path(target).exists():
            return kind
    return None


def log_of(target: str) -> str | None:
    """What a target names of which the logs are scanned; None for any other."""
    kind = kind_of(target)
    return target.partition(":")[2] if kind is not None and kind.scan is _log else None


def place_of(target: str) -> Path:
    """Whose rules and accepted findings count: what is elsewhere has the current folder's."""
    return Path("." if kind_of(target) is not None else target)
