"""How far a long scan is and how long it will take: for terminals only, gone when it is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from stanch.scanner.model.summary import Reached

if TYPE_CHECKING:
    from rich.status import Status

_PATIENCE = 1.0  # seconds before anything is shown: most scans are over by then
_SURE = 0.02  # of a part has to be done before the rest can be foretold
_MINUTE = 60


class _Clock:
    """When each part began."""

    def __init__(self, now: float) -> None:
        self.began = now
        self._part = ""
        self._part_began = now

    def left(self, reached: Reached, now: float) -> str:
        """How long the part will still take, in words; empty when that is not known."""
        if reached.part != self._part:
            # The first part began with the scan, not with the first word about it.
            self._part_began = now if self._part else self.began
            self._part = reached.part
        share = reached.share()
        if share is None or share < _SURE:
            return ""
        seconds = (now - self._part_began) * (1 - share) / share
        told = f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"
        return f" · about {told} left for {reached.part or 'the rest'}"


@contextmanager
def progress(
    *, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Reached], None]]:
    """Gives what to call, now and then, with what has been read so far."""
    stream = sys.stderr if out is None else out
    status: Status | None = None
    times = _Clock(clock())

    def tell(reached: Reached) -> None:
        nonlocal status
        now = clock()
        passed = now - times.began
        if passed < _PATIENCE or not stream.isatty():
            return
        rate = reached.size / 1e6 / passed
        line = (
            f"{reached.contents:,} read · {reached.size / 1e6:,.0f} MB · {rate:,.0f} MB/s · "
            f"{passed:.0f} s{times.left(reached, now)}"
        )
        if status is not None:
            status.update(line)
            return
        from rich.console import Console  # noqa: PLC0415  # loads slowly; only terminals need it
        from rich.status import Status  # noqa: PLC0415

        status = Status(line, console=Console(file=stream))
        status.start()

    try:
        yield tell
    finally:
        if status is not None:
            status.stop()
