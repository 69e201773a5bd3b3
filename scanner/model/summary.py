"""What a scan has read, in figures."""

from __future__ import annotations

from stanch.scanner.model.record import Record


class ScanSummary(Record):
    """What a scan has read. ``skipped`` gaps are harmless, ``incomplete`` ones are not."""

    files: int = 0
    blobs: int = 0
    size: int = 0  # bytes
    matches: int = 0
    skipped: int = 0
    incomplete: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether everything that should have been read was read."""
        return self.incomplete == 0

    @property
    def gapless(self) -> bool:
        """Whether nothing was left out, for whatever reason."""
        return self.skipped == self.incomplete == 0
