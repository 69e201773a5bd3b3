"""What a scan has read, in figures."""

from __future__ import annotations

from collections.abc import Callable

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
    git: bool = False  # whether git was read, of which nothing may have been new

    @property
    def complete(self) -> bool:
        """Whether everything that should have been read was read."""
        return self.incomplete == 0


class Reached(Record):
    """What has been read so far, in bytes and contents, and which part of the scan it is at.

    ``share`` is how much of that part is done, from 0 to 1, or None; asking may cost a moment.
    """

    contents: int
    size: int
    part: str = ""
    share: Callable[[], float | None] = lambda: None
