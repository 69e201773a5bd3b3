"""Joins the parts of one credential that were found close to each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from stanch.scanner.detectors.candidate import Disposition, Judged
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record, fresh

#: So many parts on each side of an anchor are looked at; no file written by people has more.
_NEIGHBOURS = 64


class Credential(Record, frozen=False):
    """What becomes one finding: its anchor, and the parts that joined it."""

    anchor: Judged
    joined: list[Judged] = fresh(list)

    @property
    def kind(self) -> str:
        """The pair's kind once it is a pair, else the rule's."""
        pairing = self.anchor.rule.pairing
        return pairing.kind if pairing and self.joined else self.anchor.rule.kind


def joined(kept: Sequence[Judged], halves: Sequence[Judged], lines: LineIndex) -> list[Credential]:
    """Credentials in order of position; a part that joined is not reported by itself.

    ``kept`` are reported anyway, ``halves`` only when they join. Each part joins once: named ones
    before bare ones, those on the file's usual side before others, near ones before far ones.
    """
    credentials = {id(each): Credential(anchor=each) for each in kept}
    taken: dict[int, Judged] = {}
    for option in sorted(_options(kept, halves, lines), key=lambda each: each.rank):
        credential, part = credentials[id(option.anchor)], option.part
        names = {each.rule.part for each in credential.joined}
        if id(part) not in taken and part.rule.part not in names:
            taken[id(part)] = part
            credential.joined.append(part)
    for credential in credentials.values():
        _settle(credential, taken)
    places = sorted((part.start, part.end) for part in taken.values())
    return [each for each in credentials.values() if not _covered(each.anchor, places)]


class _Option(Record):
    """A part that an anchor could take; the lowest rank is served first."""

    rank: tuple[bool, bool, int, int]
    anchor: Judged
    part: Judged


def _options(kept: Sequence[Judged], halves: Sequence[Judged], lines: LineIndex) -> list[_Option]:
    anchors = [each for each in kept if each.rule.pairing]
    names = {
        n for a in anchors if a.rule.pairing for n in (a.rule.pairing.rule, *a.rule.pairing.also)
    }
    parts = sorted(
        (each for each in (*kept, *halves) if each.rule.id in names), key=lambda each: each.start
    )
    if not anchors or not parts:
        return []
    # "id, then secret" or "secret, then id": a file keeps to the order in which it begins.
    id_first = anchors[0].start < parts[0].start
    starts = [part.start for part in parts]
    options: list[_Option] = []
    for anchor in anchors:
        here = bisect_left(starts, anchor.start)
        for part in parts[max(0, here - _NEIGHBOURS) : here + _NEIGHBOURS]:
            if _within(anchor, part, lines):
                other_side = (anchor.start < part.start) != id_first
                distance = abs(part.start - anchor.start)
                rank = (part.fate is Disposition.HALF, other_side, distance, part.start)
                options.append(_Option(rank=rank, anchor=anchor, part=part))
    return options


def _within(anchor: Judged, part: Judged, lines: LineIndex) -> bool:
    pairing = anchor.rule.pairing
    if pairing is None or part.rule.id not in (pairing.rule, *pairing.also):
        return False
    return abs(lines.line(part.start) - lines.line(anchor.start)) <= pairing.within


def _covered(each: Judged, places: Sequence[tuple[int, int]]) -> bool:
    """Whether a joined part stands where this one does, so that it would be reported twice."""
    at = bisect_left(places, (each.end, 0))
    return at > 0 and places[at - 1][1] > each.start


def _settle(credential: Credential, taken: dict[int, Judged]) -> None:
    """A pair is surer and graver than its halves; extras without the other half go back."""
    anchor, pairing = credential.anchor, credential.anchor.rule.pairing
    if pairing is None or not credential.joined:
        return
    if all(part.rule.id != pairing.rule for part in credential.joined):
        for part in credential.joined:
            del taken[id(part)]
        credential.joined = []
        return
    anchor.severity = pairing.severity
    # A secret key beside it outweighs an id that looks made up, but does not prove it.
    doubtful = anchor.confidence is Confidence.LOW
    anchor.confidence = Confidence.MEDIUM if doubtful else Confidence.HIGH
    anchor.reason = "prefix+pair"
