"""Why a finding is hidden, or why what was meant to hide it does not."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from stanch.scanner.model.record import Record


class WaiverSource(StrEnum):
    """Where somebody said that a finding is acceptable."""

    BASELINE = "baseline"  # an entry of .stanch-baseline
    IMPORTED = "imported"  # an entry of a detect-secrets baseline, by unsalted hash and path
    INLINE = "inline"  # a comment next to the value
    ALLOWLIST = "allowlist"  # a table of [[scan.allowlists]]


class Waiver(Record):
    """A recorded reason to hide a finding.

    ``void`` says in words why the waiver does not count (expired, unsigned, without a reason); the
    finding is then reported, with this note. ``entry`` is the id of the baseline's entry.
    """

    source: WaiverSource
    reason: str
    void: str | None = None
    entry: str | None = None
    author: str | None = None
    expires: date | None = None

    @property
    def hides(self) -> bool:
        """Whether the finding is to be left out."""
        return self.void is None
