"""Archives that were ever committed are opened as those on disk are."""

from __future__ import annotations

import gzip
import random
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from stanch.scanner.sources.content import archive
from stanch.scanner.sources.git import blob_reader
from tests.scanner.sources.archive_sample import tarred, zipped

Scan = Callable[..., Any]
Token = Callable[[int], str]


def _committed(repo: Any, path: str, data: bytes) -> str:
    (repo.path / path).write_bytes(data)
    repo.git("add", "-f", path)
    repo.git("commit", "-q", "-m", "archive")
    return str(repo.git("rev-parse", "HEAD"))


@pytest.mark.parametrize("packed", [False, True])
def test_members_of_removed_archives_are_found_with_their_commit(
    repo: Any, scan: Scan, token: Token, *, packed: bool
) -> None:
    inner = zipped({"deep/x.env": f"\nT={token(1)}".encode()})
    first = _committed(repo, "lib.whl", zipped({"in/b.zip": inner, "c.txt": token(2).encode()}))
    second = _committed(repo, "d.tar.gz", gzip.compress(tarred({"e/f.py": token(3).encode()})))
    repo.git("rm", "-q", "lib.whl", "d.tar.gz")
    repo.git("commit", "-q", "-m", "gone")
    if packed:
        repo.git("gc", "-q")
    outcome = scan(repo.path)
    assert sorted((m.finding.path, m.finding.commit) for m in outcome.matches) == [
        ("d.tar.gz!d.tar!e/f.py", second),
        ("lib.whl!c.txt", first),
        ("lib.whl!in/b.zip!deep/x.env", first),
    ]
    assert outcome.matches[0].finding.provenance.author == "Ann Example <ann@example.org>"
    assert not outcome.incomplete


def test_an_archive_that_is_not_held_in_memory_is_opened_too(
    repo: Any, scan: Scan, token: Token
) -> None:
    noise = random.Random(1).randbytes(3 << 20)  # noqa: S311  # only has to be long
    large = zipped({"noise.bin": noise, "z.env": token(1).encode()}, zipfile.ZIP_STORED)
    _committed(repo, "large.zip", large)
    _committed(repo, "after.txt", token(2).encode())
    repo.git("rm", "-q", "large.zip")
    repo.git("commit", "-q", "-m", "gone")
    outcome = scan(repo.path, worktree=False)
    assert sorted(outcome.places) == [("after.txt", 1), ("large.zip!z.env", 1)]
    assert not outcome.incomplete


def test_staged_archives_are_opened(repo: Any, scan: Scan, token: Token) -> None:
    (repo.path / "a.zip").write_bytes(zipped({"x.env": token(1).encode()}))
    repo.git("add", "a.zip")
    outcome = scan(repo.path, worktree=False, staged=True, history=False)
    assert outcome.places == [("a.zip!x.env", 1)]
    assert outcome.matches[0].finding.provenance.source == "staged"


def test_bombs_and_damage_in_the_past_make_the_scan_incomplete(
    repo: Any, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_BYTES", 1 << 20)
    monkeypatch.setattr(blob_reader, "_LARGEST_ARCHIVE", 2 << 20)
    bomb = _committed(repo, "bomb.gz", gzip.compress(b"a" * (20 << 20)))
    cut = _committed(repo, "cut.zip", zipped({"a.txt": b"hello" * 100})[:-30])
    noise = random.Random(1).randbytes(3 << 20)  # noqa: S311  # only has to be long
    huge = _committed(repo, "huge.zip", zipped({"noise.bin": noise}, zipfile.ZIP_STORED))
    repo.git("rm", "-q", "bomb.gz", "cut.zip", "huge.zip")
    repo.commit("a.txt", token(1))
    outcome = scan(repo.path, worktree=False)
    assert outcome.secrets == [token(1)]
    assert sorted((gap.path, gap.why.split(" (")[0]) for gap in outcome.incomplete) == [
        (f"bomb.gz @ {bomb[:12]}", "archive unpacks to more than 1 MiB; the rest is not read"),
        (f"cut.zip @ {cut[:12]}", "damaged or unsupported archive"),
        (f"huge.zip @ {huge[:12]}", "archive of more than 2 MiB"),
    ]
