"""Objects read straight from packs are what git reads, or are left to git."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.sources.added import alike
from stanch.scanner.sources.pack import LARGEST, Packs, changed


@pytest.fixture
def versions(repo: Any) -> Any:
    """A file that changes at several places at a time, a long one, an empty one, a binary one."""
    chance = random.Random(3)  # noqa: S311  # the same every time
    lines = [f"line {number} {chance.random()}\n" for number in range(6000)]
    for number in range(12):
        for _ in range(3):
            at = chance.randrange(len(lines))
            lines[at : at + chance.randrange(3)] = [f"new {chance.random()}\n"] * 2
        repo.write("short.txt", "".join(lines[:200]))
        repo.write("long.txt", "".join(lines))
        repo.write("empty.txt", "")
        repo.write("small.txt", f"{number}\n")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", "change")
    (repo.path / "random.bin").write_bytes(chance.randbytes(200_000))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "binary")
    return repo


def _blobs(repo: Any) -> list[str]:
    listed = repo.git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"
    )
    return [line.split()[1] for line in listed.splitlines() if line.startswith("blob")]


def _content(repo: Any, oid: str) -> bytes:
    argv = ["git", "-C", str(repo.path), "cat-file", "blob", oid]
    return subprocess.run(argv, check=True, capture_output=True).stdout


@pytest.mark.parametrize("by_offset", ["true", "false"])
def test_every_packed_blob_is_what_git_says(versions: Any, by_offset: str) -> None:
    versions.git("-c", f"repack.useDeltaBaseOffset={by_offset}", "repack", "-adfq")
    packs = Packs(folder=versions.path / ".git" / "objects" / "pack")
    blobs = _blobs(versions)
    assert len(blobs) > 25
    for oid in blobs:
        packed = packs.read(oid)
        assert packed is not None
        assert packed.data == _content(versions, oid)
    packs.close()


def test_what_versions_share_is_known_from_the_pack(versions: Any) -> None:
    versions.git("repack", "-adfq")
    packs = Packs(folder=versions.path / ".git" / "objects" / "pack")
    found = [packed for oid in _blobs(versions) if (packed := packs.read(oid))]
    related = 0
    for one in found:
        for other in found:
            shared = one.alike(other)
            if one is not other and shared is not None:
                related += 1
                front, behind = shared
                assert front + behind <= min(len(one.data), len(other.data))
                assert one.data[:front] == other.data[:front]
                assert behind == 0 or one.data[-behind:] == other.data[-behind:]
                assert front <= alike(one.data, other.data)[0]
    assert related > 20
    packs.close()


def test_commits_trees_and_strangers_are_left_to_git(versions: Any) -> None:
    versions.git("repack", "-adfq")
    packs = Packs(folder=versions.path / ".git" / "objects" / "pack")
    for name in ("HEAD", "HEAD^{tree}"):
        assert packs.read(versions.git("rev-parse", name)) is None
    assert packs.read("1" * 40) is None
    assert packs.read("1" * 64) is None
    packs.close()


@pytest.mark.parametrize("most", [0, 1, 64])
def test_of_many_packs_some_are_left_to_git(
    repo: Any, scan: Any, token: Any, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("stanch.scanner.sources.pack._MOST", most)
    for number in range(3):
        repo.commit(f"{number}.txt", token(number))
        repo.git("repack", "-dq")
    assert len(list((repo.path / ".git" / "objects" / "pack").glob("*.idx"))) == 3
    outcome = scan(repo.path, worktree=False, history=True)
    assert sorted(outcome.secrets) == sorted(token(number) for number in range(3))
    assert not outcome.gaps


def test_a_repository_without_packs_has_none(tmp_path: Path) -> None:
    packs = Packs(folder=tmp_path / "missing")
    assert packs.read("1" * 40) is None
    packs.close()


def test_a_pipe_in_the_place_of_a_pack_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pack-1.idx")
    (tmp_path / "pack-2.idx").write_bytes(b"garbage")
    os.mkfifo(tmp_path / "pack-2.pack")
    packs = Packs(folder=tmp_path)
    assert packs.read("1" * 40) is None
    packs.close()


def _damaged(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    for _ in range(150):
        copy = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
        yield bytes(copy[: chance.randrange(len(copy))] if chance.random() < 0.1 else copy)


@pytest.mark.parametrize("part", ["pack", "idx"])
def test_damage_is_never_content(versions: Any, part: str) -> None:
    versions.git("repack", "-adfq")
    folder = versions.path / ".git" / "objects" / "pack"
    blobs = {oid: _content(versions, oid) for oid in _blobs(versions)}
    (path,) = folder.glob(f"*.{part}")
    path.chmod(0o644)
    whole = path.read_bytes()
    unread = 0
    for damaged in _damaged(whole, random.Random(5)):  # noqa: S311  # the same every time
        path.write_bytes(damaged)
        packs = Packs(folder=folder)
        for oid, content in blobs.items():
            packed = packs.read(oid)
            unread += packed is None
            # A wrong offset leads to another object, which only its id would tell.
            assert packed is None or part == "idx" or packed.data == content
        packs.close()
    assert unread


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_no_difference_breaks_its_reader(base: bytes, delta: bytes) -> None:
    head = bytes([len(base) & 0x7F | 0x80, len(base) >> 7])
    for body in (delta, head + delta):
        try:
            data, _, front, behind = changed(base, body, (0, 0))
        except (ValueError, IndexError):
            continue
        assert len(data) <= LARGEST
        assert data[:front] == base[:front]
        assert behind == 0 or data[-behind:] == base[-behind:]
        assert front + behind <= min(len(base), len(data))


@given(st.lists(st.sampled_from([b"a", b"b\n", b"cc"])), st.lists(st.sampled_from([b"a", b"b\n"])))
def test_alike_is_the_longest_beginning_and_end(one: list[bytes], other: list[bytes]) -> None:
    first, second = b"".join(one), b"".join(other)
    shorter = min(len(first), len(second))
    front, behind = alike(first, second)
    assert first[:front] == second[:front]
    assert front == shorter or first[front] != second[front]
    assert first[len(first) - behind :] == second[len(second) - behind :]
    assert front + behind == shorter or first[-behind - 1] != second[-behind - 1]
