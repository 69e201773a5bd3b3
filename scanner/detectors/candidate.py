"""What the pattern found, and what the checks think of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from stanch.scanner.model.finding import Confidence, Severity
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule


class Disposition(Enum):
    """What becomes of a candidate."""

    KEEP = "keep"  # report it
    HALF = "half"  # worth nothing by itself, only as the other half of a pair
    HARMLESS = "harmless"  # it is this token, but a placeholder: nothing may report this place
    ABSENT = "absent"  # it is not this token at all; other rules may still claim the place


class Candidate(Record, frozen=False):
    """One confirmed place of a pattern. ``data[start:end]`` is the secret, in the whole fragment.

    ``path`` is the fragment's display path and ``now`` the time of the scan in seconds since the
    epoch. A check may move ``end`` where the pattern finds only a head, and ``start`` as well where
    it finds only the place. What a document holds has the ``name`` that it gives it, and ``text``
    where it says something else than is written (base64, escapes). Lives only while a fragment is
    scanned, and its ``repr`` shows the place, never the value.
    """

    rule: Rule
    data: bytes
    start: int
    end: int
    path: str
    now: float
    name: bytes = b""
    text: bytes | None = None

    @property
    def value(self) -> bytes:
        """The secret's bytes; as careful with them as with ``SecretValue.reveal``."""
        return self.data[self.start : self.end] if self.text is None else self.text

    def __repr__(self) -> str:
        return f"Candidate({self.rule.id}, {self.start}..{self.end})"

    def before(self, width: int) -> bytes:
        """At most ``width`` bytes in front of the secret, on the same line."""
        window = self.data[max(0, self.start - width) : self.start]
        return window[window.rfind(b"\n") + 1 :]

    def after(self, width: int) -> bytes:
        """At most ``width`` bytes behind the secret, on the same line."""
        window = self.data[self.end : self.end + width]
        stop = window.find(b"\n")
        return window if stop < 0 else window[:stop]


class CheckResult(Record):
    """What one check says. ``None`` leaves a field as it was; reasons are short and stable.

    ``confidence`` replaces what was thought before, ``at_most`` only lowers it. ``independent`` is
    false for a doubt from which the others follow. ``until`` is the time, in seconds since the
    epoch, from which on the check would say something else.
    """

    fate: Disposition = Disposition.KEEP
    confidence: Confidence | None = None
    at_most: Confidence | None = None
    independent: bool = True
    severity: Severity | None = None
    reason: str | None = None
    until: float | None = None


NOTHING_TO_SAY = CheckResult()
NOT_THIS = CheckResult(fate=Disposition.ABSENT)

Check = Callable[[Candidate], CheckResult]


def _rank(confidence: Confidence) -> int:
    return confidence.rank


class Judged(Record, frozen=False):
    """A candidate with the sum of its results."""

    candidate: Candidate
    fate: Disposition
    confidence: Confidence
    severity: Severity
    reason: str
    doubted: bool = False
    until: float | None = None

    def apply(self, result: CheckResult) -> None:
        """Add one result. Who doubts twice is sure: it looks made up and its checksum fails."""
        self.fate = result.fate
        self.confidence = result.confidence or self.confidence
        if result.at_most is not None:
            at_most = Confidence.LOW if self.doubted and result.independent else result.at_most
            self.confidence = min(self.confidence, at_most, key=_rank)
            self.doubted = self.doubted or result.independent
        self.severity = result.severity or self.severity
        self.reason = result.reason or self.reason
        self.until = self.until if result.until is None else result.until

    @property
    def start(self) -> int:
        """First byte of the secret."""
        return self.candidate.start

    @property
    def end(self) -> int:
        """Just past the last byte of the secret."""
        return self.candidate.end

    @property
    def rule(self) -> Rule:
        """The rule that found it."""
        return self.candidate.rule
