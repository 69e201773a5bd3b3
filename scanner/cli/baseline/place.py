"""A finding named by its place, as reports print it: ``PATH:LINE``, or ``COMMIT:PATH:LINE``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from stanch.scanner.api import Match, UsageError
from stanch.scanner.reports.escape import escaped

_PLACE = re.compile(r"(?:(?P<commit>[0-9a-f]{7,64}):)?(?P<path>.+):(?P<line>[1-9][0-9]*)")
_FINGERPRINT = re.compile(r"v[0-9]+:[0-9a-f]*")
_SHORTEST = 8  # characters of a fingerprint, the version not counted


def chosen(names: Sequence[str], matches: Iterable[Match]) -> list[Match]:
    """The matches that are named, by fingerprint, by the beginning of one, or by place.

    Raises UsageError for a name that stands for no finding, or for several credentials.
    """
    known = list(matches)
    return [match for name in names for match in _named(name, known)]


def in_worktree(name: str) -> bool:
    """Whether it names a place without a commit."""
    place = _PLACE.fullmatch(name)
    return place is not None and not place["commit"] and not _FINGERPRINT.fullmatch(name)


def _named(name: str, known: Sequence[Match]) -> list[Match]:
    by_fingerprint = _FINGERPRINT.fullmatch(name)
    found = [match for match in known if (_begins if by_fingerprint else stands)(match, name)]
    if not found:
        raise UsageError(
            f"no finding is {escaped(name)}",
            remedy="copy a place (PATH:LINE, COMMIT:PATH:LINE) or a fingerprint from a report; in "
            "another clone fetch the branch first: `git fetch origin`",
        )
    several = {match.finding.fingerprint for match in found}
    if by_fingerprint and len(several) > 1:
        raise UsageError(
            f"{escaped(name)} is the beginning of {len(several)} fingerprints",
            remedy="give more of it",
        )
    return found


def _begins(match: Match, name: str) -> bool:
    enough = len(name.partition(":")[2]) >= _SHORTEST
    return enough and match.finding.fingerprint.startswith(name)


def stands(match: Match, name: str) -> bool:
    """Whether a match is at the place that is named."""
    place = _PLACE.fullmatch(name)
    finding = match.finding
    if place is None or finding.path != place["path"]:
        return False
    of_commit = (finding.commit or "").startswith(place["commit"] or "")
    return of_commit and finding.span.line <= int(place["line"]) <= finding.span.end_line


def ignored_places(file: Path) -> tuple[str, ...]:
    """The places in a ``.gitleaksignore``: lines of ``[COMMIT:]PATH:RULE:LINE``.

    The format: <https://github.com/gitleaks/gitleaks#gitleaksignore>. Rules have other names there,
    so the place alone counts. Raises UsageError that names the line.
    """
    places = []
    for number, raw in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        path, _, rest = line.rpartition(":")
        path, _, rule = path.rpartition(":")
        if not path or not rule or not rest.isdecimal():
            raise UsageError(
                f"{file}:{number}: not COMMIT:PATH:RULE:LINE: {escaped(line[:80])}",
                remedy="name a .gitleaksignore, or a .secrets.baseline of detect-secrets",
            )
        places.append(f"{path}:{rest}")
    if not places:
        raise UsageError(
            f"{file} names no place", remedy="name a .gitleaksignore, or a .secrets.baseline"
        )
    return tuple(dict.fromkeys(places))
