"""Fragment to Match: prefilter, confirmation, checks, overlaps, pairs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import islice
from operator import itemgetter
from types import MappingProxyType

from stanch.scanner.detectors.candidate import Candidate, Disposition, Judged
from stanch.scanner.detectors.checks import (
    CHECKS,
    SPREAD,
    document_rules,
    far_rules,
    paired_rules,
)
from stanch.scanner.detectors.combine.overlap import resolved
from stanch.scanner.detectors.combine.pairing import Credential, joined
from stanch.scanner.detectors.context.screen import SCREENS
from stanch.scanner.detectors.context.surroundings import check_surroundings
from stanch.scanner.detectors.document.budget import MOST, Budget
from stanch.scanner.detectors.document.readings import NAMED, values
from stanch.scanner.detectors.encoding.ansi import uncoloured
from stanch.scanner.detectors.encoding.decode import COLOURED, opened
from stanch.scanner.detectors.excerpt import excerpt
from stanch.scanner.detectors.matching.confirm import Place, confirmed
from stanch.scanner.detectors.matching.prefilter import Marks, Window
from stanch.scanner.detectors.preview import preview
from stanch.scanner.detectors.ruleset.compile import prefilter
from stanch.scanner.detectors.text.patch import patched
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.model.finding import Confidence, Finding, Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import Record, replace
from stanch.scanner.model.rule import Rule, RuleClass
from stanch.scanner.model.secret import SecretValue

#: So many places of one rule in one fragment are judged; more is an attack or a dump of tokens.
MOST_PER_RULE = 5_000
_REASON = {
    RuleClass.A: "parse",
    RuleClass.B: "prefix+shape",
    RuleClass.C: "keyword+shape",
    RuleClass.D: "keyword+entropy",
}


class Scanned(Record):
    """What a fragment holds, and what of it was left out by a bound."""

    matches: tuple[Match, ...]
    gaps: tuple[Gap, ...]


NOTHING = Scanned(matches=(), gaps=())


class Reach(IntEnum):
    """How far from a change a finding may lie that changes with it."""

    NEAR = 0
    PAIR = 1  # as many lines as there may be between its halves
    FAR = 2  # the end of a key
    DOCUMENT = 3  # anywhere


NEAR = 512
"""Bytes, and then up to the border of the line: what stands on one line belongs together."""

_FAR = 16 << 10  # bytes: no key is longer


class Look(Record):
    """Where in a text, or in a ``part`` of it, something could be found."""

    windows: dict[int, list[Window]]
    marks: Marks
    part: Window | None
    reach: Reach
    owned: tuple[Window, ...] = ()  # findings count that begin in one of these; anywhere if none


class Engine:
    """Scans fragments with a fixed set of rules; use one for each thread.

    ``clock`` gives the time in seconds since the epoch, by which tokens are judged expired. Matches
    that are less sure than ``min_confidence`` are left out.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        key: FingerprintKey,
        *,
        clock: Callable[[], float] = time.time,
        min_confidence: Confidence = Confidence.LOW,
    ) -> None:
        self._rules = tuple(rules)
        self._key = key
        self._clock = clock
        self._min_confidence = min_confidence.rank
        self._checks = [tuple(CHECKS[name] for name in rule.checks) for rule in self._rules]
        self._screens = {
            index: SCREENS[rule.checks[0]]
            for index, rule in enumerate(self._rules)
            if rule.checks and rule.checks[0] in SCREENS
        }
        self.at = ""  # the rule that is looked at, for whoever has to end it
        self.prefilter = prefilter(rules)
        self._far = far_rules(self._rules)
        self._paired, self._apart = paired_rules(self._rules)
        self._documents = document_rules(self._rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that this engine looks with."""
        return self._rules

    def scan(self, fragment: Fragment) -> Iterator[Match]:
        """The fragment's matches in order of position; :meth:`examine` says what was left out."""
        yield from self.examine(fragment).matches

    def look(self, data: bytes, path: str, part: Window | None = None) -> Look | None:
        """Where :meth:`examine` could find anything in a part of it; None is certain."""
        windows, marks = self.prefilter.look(data, path, self._screens, part)
        if not windows and not marks:
            return None
        if COLOURED in marks:
            part = None  # colours are taken away everywhere
        reach = Reach.NEAR
        if not self._documents.isdisjoint(windows):
            reach = Reach.DOCUMENT
        elif not self._far.isdisjoint(windows):
            reach = Reach.FAR
        elif not self._paired.isdisjoint(windows):
            reach = Reach.PAIR
        return Look(windows=windows, marks=marks, part=part, reach=reach)

    def look_around(self, data: bytes, path: str, part: Window, reach: Reach) -> Look | None:
        """As :meth:`look`, with what may change with the part, and what that is judged with."""
        if reach is Reach.DOCUMENT:
            return self.look(data, path)
        reached = self._paired_with(data, part) if reach else part
        first, last = self._paired_with(data, reached) if reach else part
        back = _FAR if reach is Reach.FAR else 2 * NEAR  # a key goes on behind its head
        around = (max(0, min(first, part[0] - back)), min(len(data), last + 2 * NEAR))
        look = self.look(data, path, around)
        if look is None or COLOURED in look.marks:
            return look
        owned = [part]
        for rules, (begin, end) in (
            (self._far, (part[0] - back, part[1])),
            (self._paired, reached),
        ):
            owned += [
                (window[0] - NEAR, window[1] + NEAR)
                for index in rules.intersection(look.windows)
                for window in look.windows[index]
                if window[0] < end and begin < window[1]
            ]
        near = [(start - 2 * NEAR, end + 2 * NEAR) for start, end in owned]
        windows = {
            index: kept
            for index, places in look.windows.items()
            if (kept := [each for each in places if _meets(each, near)])
        }
        return replace(look, windows=windows, part=part, owned=tuple(owned))

    def _paired_with(self, data: bytes, part: Window) -> Window:
        """The part and as many lines around it as there may be between the halves of a pair."""
        first, last = part
        for _ in range(self._apart + 1):
            first = max(0, data.rfind(b"\n", 0, first))
            last = data.find(b"\n", last) + 1 or len(data)
        return first, last

    def examine(self, fragment: Fragment, look: Look | None = None) -> Scanned:
        """Matches in order of position, encoded copies included, and gaps.

        With a ``look`` at it only those in the part that was looked at, judged by all of it.
        """
        look = look or self.look(fragment.data, fragment.provenance.path)
        if look is None:
            return NOTHING
        if COLOURED in look.marks:
            fragment = uncoloured(fragment)
            look = self.look(fragment.data, fragment.provenance.path)
            if look is None:
                return NOTHING
        if not look.marks:
            return self._direct(fragment, look.windows, self._min_confidence, look.owned)
        # What is not sure, too, says what a copy is.
        direct = self._direct(fragment, look.windows, 0, look.owned)
        end = look.part[1] if look.part else len(fragment.data)
        matches, gaps = opened(fragment, direct.matches, self._within, look.marks, end)
        return Scanned(matches=self._sure(matches), gaps=(*direct.gaps, *gaps))

    def _within(self, fragment: Fragment) -> tuple[Match, ...]:
        look = self.look(fragment.data, fragment.provenance.path)
        if look is not None and COLOURED in look.marks:
            fragment = uncoloured(fragment)
            look = self.look(fragment.data, fragment.provenance.path)
        return self._direct(fragment, look.windows).matches if look else ()

    def _sure(self, matches: tuple[Match, ...]) -> tuple[Match, ...]:
        return tuple(
            each for each in matches if each.finding.confidence.rank >= self._min_confidence
        )

    def _direct(
        self,
        fragment: Fragment,
        windows: dict[int, list[Window]],
        min_confidence: int = 0,
        owned: tuple[Window, ...] = (),
    ) -> Scanned:
        if not windows:
            return NOTHING
        judged, gaps = self._judged(fragment, windows)
        present = [each for each in judged if each.fate is not Disposition.ABSENT]
        if not present:
            return Scanned(matches=(), gaps=gaps)
        lines = LineIndex(fragment.data, fragment.first_line)
        kept = resolved(each for each in present if each.fate is not Disposition.HALF)
        halves = [each for each in present if each.fate is Disposition.HALF]
        found = joined(kept, halves, lines)
        wanted = [
            each
            for each in found
            if each.anchor.confidence.rank >= min_confidence
            and (not owned or _meets((each.anchor.start, each.anchor.start + 1), owned))
        ]
        secrets = sorted(((each.start, each.end) for each in judged), key=itemgetter(1))
        named = [each for each in judged if each.rule.document in NAMED]
        return Scanned(
            matches=tuple(self._match(each, fragment, lines, secrets, named) for each in wanted),
            gaps=gaps,
        )

    def _judged(
        self, fragment: Fragment, windows: dict[int, list[Window]]
    ) -> tuple[list[Judged], tuple[Gap, ...]]:
        """Every candidate with what the checks think of it, and what was left out by a bound."""
        now = self._clock()
        judged: list[Judged] = []
        gaps: list[Gap] = []
        budget = Budget()
        path = fragment.provenance.path
        for index, places in windows.items():
            rule = self._begun(index)
            sure = confirmed(rule, fragment.data, places, MOST_PER_RULE + 1)
            candidates = _candidates(rule, fragment, sure[:MOST_PER_RULE], now, budget)
            most = list(islice(candidates, MOST_PER_RULE + 1))
            judged += [self._judge(index, each) for each in most[:MOST_PER_RULE]]
            if max(len(sure), len(most)) > MOST_PER_RULE:
                why = f"more than {MOST_PER_RULE} places that look like `{rule.id}`"
                gaps.append(Gap(path=path, why=why, incomplete=True))
        if budget.spent:
            why = f"more than {MOST} values where a document may hold secrets"
            gaps.append(Gap(path=path, why=why, incomplete=True))
        return judged, tuple(gaps)

    def _begun(self, index: int) -> Rule:
        rule = self._rules[index]
        self.at = rule.id
        return rule

    def _judge(self, index: int, candidate: Candidate) -> Judged:
        rule = self._rules[index]
        judged = Judged(
            candidate=candidate,
            fate=Disposition.KEEP,
            confidence=rule.confidence,
            severity=rule.severity,
            reason=_REASON[rule.rule_class],
        )
        for check in self._checks[index]:
            judged.apply(check(candidate))
            if judged.fate is not Disposition.KEEP:
                return judged
        if judged.confidence is not Confidence.LOW:
            judged.apply(check_surroundings(candidate))
        return judged

    def _match(
        self,
        credential: Credential,
        fragment: Fragment,
        lines: LineIndex,
        secrets: list[tuple[int, int]],
        named: list[Judged],
    ) -> Match:
        anchor = credential.anchor
        rule, value = anchor.rule, anchor.candidate.value
        identity = SecretValue(value)
        span = lines.span(anchor.start, anchor.end)
        parts = {rule.part: identity}
        for other in sorted(credential.joined, key=lambda each: each.rule.part):
            parts[other.rule.part] = SecretValue(other.candidate.value)
        finding = Finding(
            rule=rule.id,
            provider=rule.provider,
            kind=credential.kind,
            provenance=fragment.at(span.line, span.column),
            span=span,
            fingerprint=self._key.fingerprint(rule.provider, credential.kind, identity),
            preview=preview(value, rule.preview),
            severity=anchor.severity,
            confidence=anchor.confidence,
            reason=anchor.reason,
            until=anchor.until,
            also=tuple(lines.span(each.start, each.end) for each in credential.joined),
            title=rule.title,
            excerpt=excerpt(fragment.data, anchor.start, anchor.end, secrets),
            within=_name(anchor, named),
        )
        return Match(finding=finding, parts=MappingProxyType(parts))


def _name(anchor: Judged, named: list[Judged]) -> str:
    """What a document calls the value, if it does and the name does not hold the value."""
    for each in named:
        name = each.candidate.name
        if (
            each.start <= anchor.start
            and anchor.end <= each.end
            and each.candidate.value not in name
        ):
            return name.decode("ascii", "replace")
    return ""


def _meets(window: Window, others: Sequence[Window]) -> bool:
    return any(window[0] < end and start < window[1] for start, end in others)


def _candidates(
    rule: Rule, fragment: Fragment, places: Sequence[Place], now: float, budget: Budget
) -> Iterator[Candidate]:
    """What a rule's pattern found, or what the table or the documents hold that it found."""
    data, path = fragment.data, fragment.provenance.path
    if rule.document is None:
        spread = next((SPREAD[name] for name in rule.checks if name in SPREAD), None)
        for start, end in ((each.start, each.end) for each in places):
            ground = patched(path, data, start)
            one = Candidate(rule=rule, data=data, start=start, end=end, path=ground, now=now)
            yield from spread(one) if spread else (one,)
        return
    for held in values(rule.document, data, [each.start for each in places], budget):
        yield Candidate(
            rule=rule,
            data=data,
            start=held.start,
            end=held.end,
            path=path,
            now=now,
            name=held.name,
            text=held.text,
        )
