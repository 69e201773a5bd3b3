"""How far a long scan is: on a terminal only, and gone when it is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

Result = TypeVar("Result")

_PATIENCE = 1.0  # seconds before anything is shown: most scans are over by then


def shown(
    results: Iterable[Result],
    read: Callable[[], tuple[int, int]],
    *,
    out: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Result]:
    """The results as they come, with a line that moves on ``out`` (standard error).

    ``read`` says how many contents and bytes have been read so far.
    """
    stream = sys.stderr if out is None else out
    if not stream.isatty():
        yield from results
        return
    from rich.console import Console  # noqa: PLC0415  # loads slowly, and only terminals need it
    from rich.status import Status  # noqa: PLC0415

    began = clock()
    status: Status | None = None
    try:
        for result in results:
            yield result
            passed = clock() - began
            if passed < _PATIENCE:
                continue
            contents, size = read()
            line = (
                f"{contents:,} read · {size / 1e6:,.0f} MB · {size / 1e6 / passed:,.0f} MB/s · "
                f"{passed:.0f} s"
            )
            if status is None:
                status = Status(line, console=Console(file=stream))
                status.start()
            else:
                status.update(line)
    finally:
        if status is not None:
            status.stop()
