from __future__ import annotations

import io
from collections.abc import Iterator

from scanner.reports.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _ticking() -> Iterator[float]:
    yield from (0.0, 0.5, 2.0, 4.0, 6.0)


def test_a_terminal_sees_the_rate_of_a_long_scan() -> None:
    out, times = Terminal(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(1, 1_000_000)
        assert not out.getvalue()  # half a second: most scans are over by then
        tell(20, 40_000_000)
    assert "20 read" in out.getvalue()
    assert "20 MB/s" in out.getvalue()


def test_what_is_no_terminal_sees_nothing() -> None:
    out, times = io.StringIO(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(1, 1)
        tell(20, 40_000_000)
    assert not out.getvalue()
