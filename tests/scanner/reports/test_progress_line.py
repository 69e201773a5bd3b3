from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, Scanner, SecretValue
from stanch.scanner.model.summary import Reached
from stanch.scanner.reports.progress import progress
from stanch.scanner.sources.files.file_count import expected
from stanch.scanner.sources.source import BATCH


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _ticking() -> Iterator[float]:
    yield from (0.0, 0.5, 2.0, 4.0, 6.0)


def test_a_terminal_sees_the_rate_of_a_long_scan() -> None:
    out, times = Terminal(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(Reached(contents=1, size=1_000_000))
        assert not out.getvalue()  # half a second: most scans are over by then
        tell(Reached(contents=20, size=40_000_000))
    assert "20 read" in out.getvalue()
    assert "20 MB/s" in out.getvalue()


def test_what_is_no_terminal_sees_nothing() -> None:
    out, times = io.StringIO(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(Reached(contents=1, size=1))
        tell(Reached(contents=20, size=40_000_000))
    assert not out.getvalue()


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.25, "about 6 s left for files"), (0.01, ""), (None, ""), (0.02, "about 2 min left")],
)
def test_the_time_left_follows_from_what_is_done(share: float | None, told: str) -> None:
    out, times = Terminal(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(Reached(contents=1, size=1))
        tell(Reached(contents=20, size=1, part="files", share=lambda: share))
    assert told in out.getvalue()
    assert ("left" in out.getvalue()) is bool(told)


def test_each_part_is_foretold_by_itself() -> None:
    out, times = Terminal(), _ticking()
    with progress(out=out, clock=lambda: next(times)) as tell:
        tell(Reached(contents=1, size=1))
        tell(Reached(contents=9, size=1, part="files", share=lambda: 1.0))
        tell(Reached(contents=9, size=1, part="git", share=lambda: None))
        tell(Reached(contents=9, size=1, part="git", share=lambda: 0.5))  # two seconds later
    assert "about 2 s left for git" in out.getvalue()


def test_files_are_counted_for_a_terminal(repo: Any, tmp_path: Path) -> None:
    for number in range(3):
        repo.commit(f"{number}.txt", "x")
    assert expected(repo.path) == 3
    for folder in (repo.path / "sub", tmp_path / "plain"):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "a").touch()
        (folder / "b").touch()
        assert expected(folder) == 2
    (repo.path / ".git" / "index").write_bytes(b"broken")
    assert expected(repo.path) is None


def test_a_scan_says_how_much_of_each_part_is_done(repo: Any) -> None:
    for number in range(3):
        repo.commit(f"{number}.txt", "x")
    told: list[tuple[str, float | None]] = []
    key, seconds = FingerprintKey(SecretValue(bytes(32))), itertools.count()
    scan = Scanner(key=key, processes=1, clock=lambda: float(next(seconds))).scan_path(repo.path)
    scan.tell = lambda reached: told.append((reached.part, reached.share()))
    assert list(scan) == []
    assert ("files", 1.0) in told
    assert "git" in {part for part, _ in told}


def test_a_scan_says_so_ten_times_a_second_at_most(tmp_path: Path) -> None:
    for number in range(3 * BATCH):
        (tmp_path / f"{number}.txt").touch()
    times: list[int] = []
    for step in (0.0, 0.03, 1.0):
        seconds = itertools.count(step=step)
        key = FingerprintKey(SecretValue(bytes(32)))
        scan = Scanner(key=key, processes=1, clock=seconds.__next__).scan_path(tmp_path)
        told: list[int] = []
        scan.tell = lambda reached, told=told: told.append(reached.contents)
        assert list(scan) == []
        times.append(len(told))
    assert times == [0, 0, 3]
