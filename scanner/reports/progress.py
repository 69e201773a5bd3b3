"""How far a long scan is: on a terminal only, and gone when it is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status

_PATIENCE = 1.0  # seconds before anything is shown: most scans are over by then


@contextmanager
def progress(
    *, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int], None]]:
    """Gives what to call, now and then, with how many contents and bytes have been read so far."""
    stream = sys.stderr if out is None else out
    status: Status | None = None
    began = clock()

    def tell(contents: int, size: int) -> None:
        nonlocal status
        passed = clock() - began
        if passed < _PATIENCE or not stream.isatty():
            return
        rate = size / 1e6 / passed
        line = f"{contents:,} read · {size / 1e6:,.0f} MB · {rate:,.0f} MB/s · {passed:.0f} s"
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
