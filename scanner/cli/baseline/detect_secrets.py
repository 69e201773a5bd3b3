"""Carries verdicts between detect-secrets' baseline and ours.

Its entries know a value by unsalted SHA-1, so a verdict can be carried over only where the value is
still found: by our rules, or by the plugin that found it then. What is not found any more is kept
as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import date

from stanch.scanner.detectors.plugins.detect_secrets import Hit, PluginDetector
from stanch.scanner.model.finding import Match
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.record import Record
from stanch.scanner.suppression.entry import Imported
from stanch.scanner.suppression.secrets_baseline import verdict_of
from stanch.scanner.suppression.suppressor import sha1_forms

Text = Callable[[str], str | None]
"""A file's text by its path in the repository, None when it is not there."""


class Tied(Record):
    """An imported entry, and findings of ours that are about the same value."""

    entry: Imported
    matches: tuple[Match, ...]


class Exchange:
    """Knows what both scanners find in the same files."""

    def __init__(self, matches: Iterable[Match], plugins: PluginDetector, text: Text) -> None:
        self._by_path: dict[str, list[Match]] = {}
        for match in matches:
            self._by_path.setdefault(match.finding.path, []).append(match)
        self._plugins = plugins
        self._text = text
        self._hits: dict[str, tuple[Hit, ...]] = {}

    def tied(self, entry: Imported) -> Tied:
        """The findings that an imported entry speaks of; none when it has to be kept as it is."""
        here = self._by_path.get(entry.path, [])
        direct = [each for each in here if entry.sha1 in sha1_forms(each.parts)]
        if not direct:
            seen = [hit for hit in self._seen(entry.path) if _sha1(hit) == entry.sha1]
            direct = [each for each in here if any(_same(each, hit) for hit in seen)]
        return Tied(entry=entry, matches=tuple(direct))

    def exported(self, match: Match, *, reason: str, author: str, today: date) -> list[Imported]:
        """What detect-secrets would call an accepted finding; empty when it does not find it."""
        if not isinstance(match.finding.provenance, InWorktree):
            return []
        path = match.finding.path
        return [
            Imported(
                sha1=_sha1(hit),
                path=path,
                detector=hit.type,
                reason=reason,
                author=author,
                added=today,
                expires=None,
                line=hit.line,
                is_secret=verdict_of(reason),
            )
            for hit in self._seen(path)
            if _same(match, hit)
        ]

    def _seen(self, path: str) -> tuple[Hit, ...]:
        if path not in self._hits:
            text = self._text(path)
            self._hits[path] = () if text is None else tuple(self._plugins.hits(text, path))
        return self._hits[path]


def _sha1(hit: Hit) -> str:
    return hashlib.sha1(hit.value.reveal(), usedforsecurity=False).hexdigest()


def _same(match: Match, hit: Hit) -> bool:
    """Whether both speak of one value: on the same line, and one holds the other."""
    span, value = match.finding.span, hit.value.reveal()
    if not span.line <= hit.line <= span.end_line:
        return False
    return any(value in each.reveal() or each.reveal() in value for each in match.parts.values())
