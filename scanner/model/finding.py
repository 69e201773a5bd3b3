"""Match (dies with the scan, holds the secret) and Finding (triageable, holds none)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from stanch.scanner.model.provenance import InCommit, Provenance
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.waiver import Waiver


class Severity(StrEnum):
    """How bad it is if the finding is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(StrEnum):
    """How sure the scanner is that the finding is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low to 2 for high, for comparisons with a threshold."""
        return _RANKS[self]


_RANKS = {confidence: rank for rank, confidence in enumerate(Confidence)}


class Span(Record):
    """A stretch of text: lines and columns start at 1, ``end_column`` is just past its end.

    Columns count bytes. ``wide`` bytes in front of each end, on its line, only continue a character
    of UTF-8: so many less is the column in characters.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    wide: tuple[int, int] = (0, 0)

    @property
    def characters(self) -> tuple[int, int]:
        """Both columns, counted in characters."""
        return self.column - self.wide[0], self.end_column - self.wide[1]


class Finding(Record):
    """What may be stored, printed and sent: everything about a hit except the secret itself.

    ``fingerprint`` is keyed (HMAC), hence the same for the same credential wherever it was seen and
    of no use to whoever would guess. ``preview`` shows at most four characters at each end, and of
    values without a public prefix only the length. ``title`` is the rule's, ``excerpt`` the line in
    which the value stands, masked. ``also`` holds the places of the other parts of a credential
    that was joined. ``until`` is the time, in seconds since the epoch, at which the token expires
    and the verdict with it. ``waiver`` says who accepts it, once ``scanner.suppression`` has judged
    it. ``within`` is the place inside of a text that has structure, such as a key of JSON.
    """

    rule: str
    provider: str
    kind: str
    provenance: Provenance
    span: Span
    fingerprint: str
    preview: str
    severity: Severity
    confidence: Confidence
    reason: str
    also: tuple[Span, ...] = ()
    until: float | None = None
    waiver: Waiver | None = None
    title: str = ""
    excerpt: str = ""
    within: str = ""

    @property
    def path(self) -> str:
        """The path as the reader should see it."""
        return self.provenance.path

    @property
    def commit(self) -> str | None:
        """The introducing commit, for findings in history."""
        return self.provenance.commit if isinstance(self.provenance, InCommit) else None


class Match(Record):
    """A finding together with the credential's parts, for the one border where they are sealed.

    ``parts`` maps a part's name to its value, e.g. ``access_key_id`` and ``secret_access_key`` for
    an AWS pair, ``value`` for credentials of one part.
    """

    finding: Finding
    parts: Mapping[str, SecretValue]
