"""Learns what is normal from fragments, then says which strings are not; two passes, any source."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from types import MappingProxyType

from stanch.scanner.anomaly.file_kind import kind_of
from stanch.scanner.anomaly.measure import Measure
from stanch.scanner.anomaly.model import Characters, Costs
from stanch.scanner.anomaly.sample import Sample, rank_of
from stanch.scanner.anomaly.surprise import Surprise, Usual
from stanch.scanner.anomaly.suspect import Suspect, Suspects
from stanch.scanner.anomaly.token import alphabet, distinct, is_digest, is_suspicious
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue

RULE = "anomaly-string"
MOST_KINDS = 256
"""Kinds of file that are told apart; the rest are one."""

_OWN = 768  # tokens of each kind that are remembered
_WIDE = 8192  # tokens of all kinds
_OPEN = 300_000  # trigrams in models that are kept ready, some 60 MB
_COUNTED = 1 << 17  # suspicious tokens whose copies are counted
_FEWEST = 16  # tokens of a kind, below which all kinds together say what is usual
_REST = "other"


class Place(Record):
    """One kind of file: its two models and what is usual for its tokens."""

    costs: tuple[Costs, Costs]
    usual: Usual

    def size(self) -> int:
        """How many trigrams it holds."""
        return sum(len(each) + len(each.own.triples) for each in self.costs)


class Oddity(Record):
    """A match, where it begins in its fragment's bytes, and the numbers behind it."""

    match: Match
    start: int
    surprise: Surprise


class Survey:
    """What is normal in the fragments learned so far.

    Memory is bounded by the samples, whatever is fed. The result does not depend on the order of
    learning (as long as there are at most :data:`MOST_KINDS` kinds); learn each fragment once. A
    token is judged by a model that has not seen it: there are two, each learned from half of the
    tokens.
    """

    def __init__(self, key: FingerprintKey) -> None:
        self._key = key
        self._samples: dict[str, Sample] = {}
        self._all = Sample(_WIDE)
        self._wide: Place | None = None
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._copies: Counter[int] = Counter()  # by rank, so that no value is kept
        self.measure = Measure()

    def learn(self, fragment: Fragment) -> bool:
        """Take the fragment's tokens as examples; false when nothing in it needs judging."""
        if fragment.places is not None:
            return False  # pieces of a document: what is usual in text says nothing of them
        sample = self._sample(kind_of(fragment.provenance.path))
        self._wide = None
        self._places.clear()
        found = distinct(fragment.data)
        for token in found:
            rank = rank_of(token)
            sample.add(token, rank)
            self._all.add(token, rank)
        suspicious = [token for token in found if is_suspicious(token)]
        for rank in map(rank_of, suspicious):
            if rank in self._copies or len(self._copies) < _COUNTED:
                self._copies[rank] += 1
        self.measure.count(fragment.data, suspicious)
        return bool(suspicious)

    def judge(self, suspects: Suspects) -> Iterator[Oddity]:
        """What does not belong in a fragment that was learned, in order of position."""
        kind = kind_of(suspects.provenance.path)
        place = self._place(kind if kind in self._samples else _REST)
        if place is None:
            return
        for suspect in suspects.found:
            surprise = self._surprise(suspect.token, place, kind=kind, company=suspects.company)
            confidence = surprise.confidence
            if confidence is not None:
                match = self._match(suspect, suspects.provenance, surprise, confidence)
                yield Oddity(match=match, start=suspect.start, surprise=surprise)

    def _sample(self, kind: str) -> Sample:
        if kind not in self._samples and len(self._samples) >= MOST_KINDS:
            kind = _REST
        return self._samples.setdefault(kind, Sample(_OWN))

    def _place(self, kind: str) -> Place | None:
        """The kind's models, or None when there is too little to compare with."""
        known = self._places.get(kind)
        if known is not None:
            self._places.move_to_end(kind)
            return known
        if self._wide is None:
            if len(self._all) < _FEWEST:
                return None
            models = _halves(self._all.ranked())
            self._wide = _learned(self._all, models, models)
        if kind not in self._samples or len(self._samples[kind]) < _FEWEST:
            return self._wide
        sample = self._samples[kind]
        wide = (self._wide.costs[0].own, self._wide.costs[1].own)
        place = self._places[kind] = _learned(sample, _halves(sample.ranked()), wide)
        while len(self._places) > 1 and sum(map(Place.size, self._places.values())) > _OPEN:
            self._places.popitem(last=False)
        return place

    def _surprise(self, token: bytes, place: Place, *, kind: str, company: int) -> Surprise:
        rank = rank_of(token)
        bits = place.costs[rank & 1].surprise(token)
        letters = alphabet(token)
        return Surprise(
            place=kind,
            alphabet=letters.name,
            length=len(token),
            bits=bits,
            gain=bits - letters.bits,
            usual=place.usual,
            company=company,
            copies=max(1, self._copies[rank]),
            digest=is_digest(token),
        )

    def _match(
        self, suspect: Suspect, provenance: Provenance, surprise: Surprise, confidence: Confidence
    ) -> Match:
        value = SecretValue(suspect.token)
        finding = Finding(
            rule=RULE,
            provider="generic",
            kind="anomaly",
            provenance=provenance,
            span=suspect.span,
            fingerprint=self._key.fingerprint("generic", "anomaly", value),
            preview=f"<{len(value)} bytes>",
            severity=Severity.MEDIUM,
            confidence=confidence,
            reason=surprise.reason,
            title="String that does not belong here",
        )
        return Match(finding=finding, parts=MappingProxyType({"value": value}))


def _learned(
    sample: Sample, own: tuple[Characters, Characters], wide: tuple[Characters, Characters]
) -> Place:
    costs = (Costs(own[0], wide[0]), Costs(own[1], wide[1]))
    gains = [
        costs[rank & 1].surprise(token) - alphabet(token).bits for rank, token in sample.ranked()
    ]
    return Place(costs=costs, usual=Usual.of(gains))


def _halves(ranked: list[tuple[int, bytes]]) -> tuple[Characters, Characters]:
    """Two models; the one at index ``rank & 1`` has not seen the token of that rank."""
    return (
        Characters(token for rank, token in ranked if rank & 1),
        Characters(token for rank, token in ranked if not rank & 1),
    )
