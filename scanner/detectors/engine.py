"""Fragment to Match: prefilter, confirmation, checks, overlaps, pairs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

from stanch.scanner.detectors.candidate import Candidate, Disposition, Judged
from stanch.scanner.detectors.checks import CHECKS
from stanch.scanner.detectors.combine.overlap import resolved
from stanch.scanner.detectors.combine.pairing import Credential, joined
from stanch.scanner.detectors.context.screen import SCREENS
from stanch.scanner.detectors.context.surroundings import check_surroundings
from stanch.scanner.detectors.document.budget import MOST, Budget
from stanch.scanner.detectors.document.readings import values
from stanch.scanner.detectors.encoding.ansi import uncoloured
from stanch.scanner.detectors.encoding.decode import COLOURED, opened
from stanch.scanner.detectors.excerpt import excerpt
from stanch.scanner.detectors.matching.confirm import Place, confirmed
from stanch.scanner.detectors.matching.prefilter import Marks, Window
from stanch.scanner.detectors.preview import preview
from stanch.scanner.detectors.ruleset.compile import prefilter
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.model.finding import Confidence, Finding, Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import Record
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


_NOTHING = Scanned(matches=(), gaps=())


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
        self.prefilter = prefilter(rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that this engine looks with."""
        return self._rules

    def scan(self, fragment: Fragment) -> Iterator[Match]:
        """The fragment's matches in order of position; :meth:`examine` says what was left out."""
        yield from self.examine(fragment).matches

    def examine(self, fragment: Fragment) -> Scanned:
        """Matches in order of position, encoded copies included, and gaps."""
        fragment, windows, marks = self._look(fragment)
        if not marks:
            return self._direct(fragment, windows, self._min_confidence)
        direct = self._direct(fragment, windows)  # also what is not sure says what a copy is
        matches, gaps = opened(fragment, direct.matches, self._within, marks)
        return Scanned(matches=self._sure(matches), gaps=(*direct.gaps, *gaps))

    def may_find(self, data: bytes, path: str | None) -> bool:
        """Whether :meth:`examine` could find anything in it; false is certain.

        Of whole lines the ``path`` says more: what is code there.
        """
        if path is None:
            return any(self.prefilter.look(data))
        return any(self.prefilter.look(data, path, self._screens))

    def _within(self, fragment: Fragment) -> tuple[Match, ...]:
        fragment, windows, _ = self._look(fragment)
        return self._direct(fragment, windows).matches

    def _sure(self, matches: tuple[Match, ...]) -> tuple[Match, ...]:
        return tuple(
            each for each in matches if each.finding.confidence.rank >= self._min_confidence
        )

    def _look(self, fragment: Fragment) -> tuple[Fragment, dict[int, list[Window]], Marks]:
        """The fragment without colours, where a rule could match in it, and the marks it has."""
        path = fragment.provenance.path
        windows, marks = self.prefilter.look(fragment.data, path, self._screens)
        if COLOURED in marks:
            fragment = uncoloured(fragment)
            windows, marks = self.prefilter.look(fragment.data, path, self._screens)
            marks.pop(COLOURED, None)
        return fragment, windows, marks

    def _direct(
        self, fragment: Fragment, windows: dict[int, list[Window]], min_confidence: int = 0
    ) -> Scanned:
        if not windows:
            return _NOTHING
        now = self._clock()
        judged: list[Judged] = []
        gaps: list[Gap] = []
        budget = Budget()
        path = fragment.provenance.path
        for index, places in windows.items():
            rule = self._rules[index]
            sure = confirmed(rule, fragment.data, places, MOST_PER_RULE + 1)
            candidates = _candidates(rule, fragment, sure[:MOST_PER_RULE], now, budget)
            judged += [self._judge(index, each) for each in candidates]
            if len(sure) > MOST_PER_RULE:
                why = f"more than {MOST_PER_RULE} places that look like `{rule.id}`"
                gaps.append(Gap(path=path, why=why, incomplete=True))
        if budget.spent:
            why = f"more than {MOST} values where a document may hold secrets"
            gaps.append(Gap(path=path, why=why, incomplete=True))
        present = [each for each in judged if each.fate is not Disposition.ABSENT]
        if not present:
            return Scanned(matches=(), gaps=tuple(gaps))
        lines = LineIndex(fragment.data, fragment.first_line)
        kept = resolved(each for each in present if each.fate is not Disposition.HALF)
        halves = [each for each in present if each.fate is Disposition.HALF]
        found = joined(kept, halves, lines)
        wanted = [each for each in found if each.anchor.confidence.rank >= min_confidence]
        secrets = [(each.start, each.end) for each in judged]
        return Scanned(
            matches=tuple(self._match(each, fragment, lines, secrets) for each in wanted),
            gaps=tuple(gaps),
        )

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
    ) -> Match:
        anchor = credential.anchor
        rule, value = anchor.rule, anchor.candidate.value
        identity = SecretValue(value)
        parts = {rule.part: identity}
        for other in sorted(credential.joined, key=lambda each: each.rule.part):
            parts[other.rule.part] = SecretValue(other.candidate.value)
        finding = Finding(
            rule=rule.id,
            provider=rule.provider,
            kind=credential.kind,
            provenance=fragment.provenance,
            span=lines.span(anchor.start, anchor.end),
            fingerprint=self._key.fingerprint(rule.provider, credential.kind, identity),
            preview=preview(value, rule.preview),
            severity=anchor.severity,
            confidence=anchor.confidence,
            reason=anchor.reason,
            until=anchor.until,
            also=tuple(lines.span(each.start, each.end) for each in credential.joined),
            title=rule.title,
            excerpt=excerpt(fragment.data, anchor.start, anchor.end, secrets),
        )
        return Match(finding=finding, parts=MappingProxyType(parts))


def _candidates(
    rule: Rule, fragment: Fragment, places: Sequence[Place], now: float, budget: Budget
) -> Iterator[Candidate]:
    """What a rule's pattern found, or what the documents hold that it found."""
    data, path = fragment.data, fragment.provenance.path
    if rule.document is None:
        for start, end in ((each.start, each.end) for each in places):
            yield Candidate(rule=rule, data=data, start=start, end=end, path=path, now=now)
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
