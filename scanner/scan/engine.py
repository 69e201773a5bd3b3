"""The engine as a scan uses it: rules, detect-secrets plugins if any, and a waiver for each match.

Findings are judged here, in the process that holds their values and the text around them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from stanch.scanner.detectors.engine import NOTHING, Engine, Look, Reach, Scanned
from stanch.scanner.detectors.matching.prefilter import Window
from stanch.scanner.detectors.ruleset.ruleset import RuleSet
from stanch.scanner.local import cache
from stanch.scanner.local.time_limit import OverTimeError, within
from stanch.scanner.model.finding import Confidence, Match, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import replace
from stanch.scanner.model.rule import Rule
from stanch.scanner.suppression.inline import has_markers

if TYPE_CHECKING:
    from stanch.scanner.detectors.plugins.detect_secrets import PluginDetector
    from stanch.scanner.suppression.inline import Neighbourhood
    from stanch.scanner.suppression.suppressor import Suppressor


SECONDS = 2.0
"""What judging any content may take, of processor time."""
SECONDS_PER_MEBIBYTE = 4.0
_LEAST = 0.25
_FOREIGN_BASELINE = ".secrets.baseline"
_HASH = re.compile(rb'"hashed_secret": "[0-9a-f]{40}"\Z')


class ScanEngine(Engine):
    """As :class:`Engine`; ``finding.waiver`` says who accepts a finding, if anybody does."""

    def __init__(
        self,
        rules: Sequence[Rule],
        key: FingerprintKey,
        *,
        suppressor: Suppressor | None = None,
        plugins: PluginDetector | None = None,
        min_confidence: Confidence = Confidence.LOW,
    ) -> None:
        builtin, self._own = rules, None
        if isinstance(rules, RuleSet) and rules.builtin is not None:
            builtin, self._own = rules.builtin, OwnRules(rules, key, min_confidence=min_confidence)
        super().__init__(builtin, key, min_confidence=min_confidence)
        self._all = tuple(rules)
        self._share = 1.0
        self._suppressor = suppressor
        self._plugins = plugins
        if suppressor is not None and suppressor.has_entries:
            from stanch.scanner.scan.digest_cache import Remembered  # noqa: PLC0415  # most have no baseline

            suppressor.remembering(Remembered(key, cache.directory()))

    def basis(self) -> bytes:
        """Differs when findings of an earlier scan have to be found or judged again."""
        plugins = self._plugins.basis() if self._plugins else b""
        suppressor = self._suppressor.basis() if self._suppressor else b""
        return b"%d" % self._min_confidence + plugins + suppressor

    @property
    def judges_by_path(self) -> bool:
        """Whether the same content may be accepted at one path and not at another."""
        return self._suppressor is not None and self._suppressor.by_path

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that this engine looks with, those of a configuration included."""
        return self._all

    def look(self, data: bytes, path: str, part: Window | None = None) -> Look | None:
        """Where :meth:`examine` could find anything in a part of it; None is certain."""
        look = super().look(data, path, part)
        if look is None and (
            self._plugins is not None
            or (self._own is not None and self._own.look(data, path, part) is not None)
        ):
            return Look(windows={}, marks={}, part=part, reach=Reach.NEAR)
        return look

    def examine(self, fragment: Fragment, look: Look | None = None) -> Scanned:
        """Matches in order of position, judged, and what was left out.

        It has a time for its size; what takes longer is a gap. Whoever overdraws leaves less for
        those behind: many such contents would stop a scan as one does.
        """
        look = look or self.look(fragment.data, fragment.provenance.path)
        if look is None:
            return NOTHING
        allowed = (SECONDS + SECONDS_PER_MEBIBYTE * len(fragment.data) / (1 << 20)) * self._share
        self.at = ""
        try:
            return within(max(allowed, _LEAST), lambda: self._examined(fragment, look))
        except OverTimeError:
            self._share /= 2
            at = (self._own.at if self._own else "") or self.at
            why = f"takes longer than {max(allowed, _LEAST):.1f} s to judge, at the rule `{at}`"
            gap = Gap(path=fragment.provenance.path, why=why, incomplete=True)
            return Scanned(matches=(), gaps=(gap,))

    def _examined(self, fragment: Fragment, look: Look) -> Scanned:
        scanned = super().examine(fragment, look)
        if self._own is not None:
            self._own.at = ""
            own = self._own.examine_part(fragment, look.part)
            scanned = Scanned(
                matches=_merged(scanned.matches, own.matches), gaps=(*scanned.gaps, *own.gaps)
            )
        if self._plugins is not None:
            more, gaps = self._plugins.detect(_lines(fragment, look), self._key)
            matches = _merged(scanned.matches, self._sure(more))
            scanned = Scanned(matches=matches, gaps=(*scanned.gaps, *gaps))
        if not scanned.matches:
            return scanned
        if fragment.provenance.path.endswith(_FOREIGN_BASELINE):
            scanned = replace(scanned, matches=_without_hashes(scanned.matches, fragment))
        if self._suppressor is None:
            return scanned
        return replace(scanned, matches=_judged(self._suppressor, scanned.matches, fragment))


def _lines(fragment: Fragment, look: Look | None) -> Fragment:
    """The lines that were looked at: plugins see nothing else."""
    if look is None or look.part is None:
        return fragment
    data, (first, last) = fragment.data, look.part
    start, end = data.rfind(b"\n", 0, first) + 1, data.find(b"\n", last)
    lines = data[start : end if end >= 0 else len(data)]
    return replace(fragment, data=lines, first_line=1 + data.count(b"\n", 0, start))


class OwnRules(Engine):
    """Rules that somebody else has written, looked for apart from the built-in ones.

    Beside them are the built-in rules whose parts theirs join; what those find alone is left out.
    """

    def __init__(self, rules: RuleSet, key: FingerprintKey, *, min_confidence: Confidence) -> None:
        self._ids = frozenset(rule.id for rule in rules.own)
        pairings = [rule.pairing for rule in rules.own if rule.pairing is not None]
        joined = {name for each in pairings for name in (each.rule, *each.also)} - self._ids
        partners = (rule for rule in rules if rule.id in joined)
        super().__init__((*rules.own, *partners), key, min_confidence=min_confidence)

    def examine_part(self, fragment: Fragment, part: Window | None) -> Scanned:
        """What the own rules find in a part; in all of it where a finding reaches farther."""
        look = self.look(fragment.data, fragment.provenance.path, part)
        if look is None:
            return NOTHING
        scanned = self.examine(fragment, look if look.reach is Reach.NEAR else None)
        kept = tuple(each for each in scanned.matches if each.finding.rule in self._ids)
        return replace(scanned, matches=kept)


def _judged(
    suppressor: Suppressor, matches: tuple[Match, ...], fragment: Fragment
) -> tuple[Match, ...]:
    lines = _line_starts(fragment) if has_markers(fragment.data) else None
    waivers = [
        suppressor.judge(each, _around(each.finding.span, fragment, lines) if lines else None)
        for each in matches
    ]
    return tuple(
        replace(match, finding=replace(match.finding, waiver=waiver)) if waiver else match
        for match, waiver in zip(matches, waivers, strict=True)
    )


def _around(span: Span, fragment: Fragment, lines: Sequence[int]) -> Neighbourhood:
    from stanch.scanner.suppression.inline import neighbourhood  # noqa: PLC0415  # most have no markers

    start = lines[span.line - fragment.first_line] + span.column - 1
    end = lines[span.end_line - fragment.first_line] + span.end_column - 1
    return neighbourhood(fragment.data, start, end)


def _without_hashes(matches: tuple[Match, ...], fragment: Fragment) -> tuple[Match, ...]:
    """The matches that are not themselves hashes in a baseline of detect-secrets."""
    lines = _line_starts(fragment)
    kept = []
    for match in matches:
        span = match.finding.span
        start = lines[span.line - fragment.first_line] + span.column - 1
        if not _HASH.search(fragment.data, max(0, start - 80), start + 41):
            kept.append(match)
    return tuple(kept)


def _line_starts(fragment: Fragment) -> list[int]:
    """Where each line of a fragment begins."""
    lengths = (len(line) + 1 for line in fragment.data.split(b"\n"))
    return list(accumulate(lengths, initial=0))


def _merged(own: tuple[Match, ...], more: tuple[Match, ...]) -> tuple[Match, ...]:
    """Both in order of position; where both say the same, a built-in rule has the word."""
    fresh = [
        each
        for each in more
        if not any(
            _overlap(each.finding.span, rival.finding.span)
            and rival.finding.confidence.rank >= each.finding.confidence.rank
            for rival in own
        )
    ]
    return tuple(
        sorted((*own, *fresh), key=lambda each: (each.finding.span.line, each.finding.span.column))
    )


def _overlap(one: Span, other: Span) -> bool:
    return (one.line, one.column) < (other.end_line, other.end_column) and (
        other.line,
        other.column,
    ) < (one.end_line, one.end_column)


def plugins_of(names: Sequence[str]) -> PluginDetector | None:
    """The plugins of detect-secrets with these names; None for none."""
    if not names:
        return None
    # Loaded late: the package takes longer to load than a small scan takes.
    from stanch.scanner.detectors.plugins.detect_secrets import PluginDetector  # noqa: PLC0415

    return PluginDetector(names)
