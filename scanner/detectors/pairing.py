"""Joins the parts of one credential that were found close to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scanner.detectors.candidate import Fate, Judged
from scanner.detectors.position import LineIndex
from scanner.model.finding import Confidence

#: So many neighbours of one anchor are looked at; a file with more is not written by people.
_NEIGHBOURS = 64


@dataclass(slots=True, kw_only=True)
class Credential:
    """What becomes one finding: its anchor, and the parts that joined it."""

    anchor: Judged
    joined: list[Judged] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The pair's kind once it is a pair, else the rule's."""
        pairing = self.anchor.rule.pairing
        return pairing.kind if pairing and self.joined else self.anchor.rule.kind


def joined(kept: Sequence[Judged], halves: Sequence[Judged], lines: LineIndex) -> list[Credential]:
    """Credentials in order of position; a part that joined is not reported by itself.

    ``kept`` are reported anyway, ``halves`` only when they join. Each part joins once: named ones
    before bare ones, near ones before far ones.
    """
    others = sorted([*kept, *halves], key=lambda each: each.start)
    credentials = {id(each): Credential(anchor=each) for each in kept}
    taken: set[int] = set()
    for _, _, _, anchor, part in sorted(_options(kept, others, lines), key=lambda o: o[:3]):
        credential = credentials[id(anchor)]
        names = {each.rule.part for each in credential.joined}
        if id(part) in taken or id(anchor) in taken or part.rule.part in names:
            continue
        taken.add(id(part))
        credential.joined.append(part)
    for credential in credentials.values():
        _settle(credential, taken)
    return [c for c in credentials.values() if id(c.anchor) not in taken]


_Option = tuple[bool, int, int, Judged, Judged]


def _options(kept: Sequence[Judged], others: Sequence[Judged], lines: LineIndex) -> list[_Option]:
    """Every (anchor, part) within reach, with what decides between them in front."""
    wanted = {each.rule.id: each.rule.pairing for each in kept if each.rule.pairing}
    if not wanted:
        return []
    numbered = [(each, lines.line(each.start)) for each in others]
    at = {id(each): index for index, (each, _) in enumerate(numbered)}
    options: list[_Option] = []
    for anchor in kept:
        pairing = wanted.get(anchor.rule.id)
        if pairing is None:
            continue
        names = (pairing.rule, *pairing.also)
        here = at[id(anchor)]
        line = numbered[here][1]
        for part, other in numbered[max(0, here - _NEIGHBOURS) : here + _NEIGHBOURS + 1]:
            if part.rule.id in names and abs(other - line) <= pairing.within:
                distance = abs(part.start - anchor.start)
                options.append((part.fate is Fate.HALF, distance, part.start, anchor, part))
    return options


def _settle(credential: Credential, taken: set[int]) -> None:
    """A pair is surer and graver than its halves; extras without the other half go back."""
    anchor, pairing = credential.anchor, credential.anchor.rule.pairing
    if pairing is None or not credential.joined:
        return
    if all(part.rule.id != pairing.rule for part in credential.joined):
        taken.difference_update(id(part) for part in credential.joined)
        credential.joined = []
        return
    anchor.severity = pairing.severity
    # A secret key beside it outweighs an id that looks made up, but does not prove it.
    doubtful = anchor.confidence is Confidence.LOW
    anchor.confidence = Confidence.MEDIUM if doubtful else Confidence.HIGH
    anchor.reason = "prefix+pair"
