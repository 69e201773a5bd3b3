from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.source import BATCH, batched

Scan = Callable[..., Any]
Token = Callable[[int], str]


def test_every_file_of_a_plain_directory_is_read_with_relative_paths(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.env").write_text(f"one\ntwo\nT={token(1)}\n")
    outcome = scan(tmp_path)
    assert outcome.places == [("a/b/c.env", 3)]
    assert outcome.secrets == [token(1)]
    assert not outcome.gaps


def test_nested_gitignore_files_rule_in_a_plain_directory(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    for name in ("x.log", "keep.log", "deep/y.log", "deep/z.txt", "out/built.txt", "deep/w.tmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(token(1))
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\nout/\n")
    (tmp_path / "deep" / ".gitignore").write_text("*.tmp\n!y.log\n")
    assert {path for path, _ in scan(tmp_path).places} == {"keep.log", "deep/y.log", "deep/z.txt"}


def test_git_decides_what_is_ignored_in_a_repository(repo: Any, scan: Scan, token: Token) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("sub/.gitignore", "/local\n")
    (repo.path / ".git" / "info" / "exclude").write_text("mine.txt\n")
    for name in ("x.log", "sub/local", "mine.txt", "new.txt"):
        repo.write(name, token(1))
    repo.commit("tracked.log", token(1))
    found = {path for path, _ in scan(repo.path, history=False).places}
    assert found == {"new.txt", "tracked.log"}


def test_an_ignored_target_is_read_when_somebody_names_it(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.write(".gitignore", "build/\n")
    repo.write("build/out.txt", token(1))
    assert scan(repo.path, history=False).places == []
    assert scan(repo.path / "build").places == [("out.txt", 1)]
    assert scan(repo.path / "build" / "out.txt").places == [("out.txt", 1)]


def test_a_nested_repository_is_read_under_its_own_rules(
    repo: Any, scan: Scan, token: Token
) -> None:
    inner = type(repo)(path=repo.path / "vendor" / "inner")
    inner.path.mkdir(parents=True)
    inner.git("init", "-q")
    inner.write(".gitignore", "*.log\n")
    inner.write("a.log", token(1))
    inner.write("a.txt", token(1))
    assert scan(repo.path, history=False).places == [("vendor/inner/a.txt", 1)]


def test_a_tracked_file_deleted_from_disk_is_no_gap(repo: Any, scan: Scan) -> None:
    repo.commit("gone.txt", "x")
    (repo.path / "gone.txt").unlink()
    assert not scan(repo.path, history=False).gaps


def test_a_broken_index_still_reads_every_file_and_is_incomplete(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    (repo.path / ".git" / "index").write_bytes(b"broken")
    outcome = scan(repo.path, history=False)
    assert outcome.places == [("a.txt", 1)]
    assert outcome.incomplete


def test_binary_files_are_skipped_and_said(tmp_path: Path, scan: Scan, token: Token) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x7fELF\0" + token(1).encode())
    outcome = scan(tmp_path)
    assert outcome.places == []
    assert [(gap.path, gap.why, gap.incomplete) for gap in outcome.gaps] == [
        ("x.bin", "binary", False)
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_utf_16_and_32_with_a_mark_are_text(
    tmp_path: Path, scan: Scan, token: Token, encoding: str
) -> None:
    text = f"first\nT={token(1)}\n"
    mark = "\ufeff" if encoding.endswith("be") else ""
    (tmp_path / "x.txt").write_bytes((mark + text).encode(encoding))
    assert scan(tmp_path).secrets == [token(1)]


def test_invalid_utf_8_hides_nothing(tmp_path: Path, scan: Scan, token: Token) -> None:
    raw = os.fsencode(tmp_path) + b"/bad-\xff.txt"
    Path(os.fsdecode(raw)).write_bytes(b"\xfd\xff \x80\nT=" + token(1).encode() + b"\n\xc3")
    assert scan(tmp_path).places == [("bad-\\xff.txt", 2)]


def test_a_false_utf_16_mark_hides_nothing(tmp_path: Path, scan: Scan, token: Token) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe" + token(1).encode())
    assert scan(tmp_path).secrets == [token(1)]


def test_odd_files_are_never_opened(tmp_path: Path, scan: Scan, token: Token) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it for reading would block for ever
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        (tmp_path / "a.txt").write_text(token(1))
        outcome = scan(tmp_path)
    assert outcome.places == [("a.txt", 1)]
    assert {gap.path for gap in outcome.gaps} == {"pipe", "socket"}
    assert not outcome.incomplete


@pytest.mark.parametrize("by", ["walk", "name", "git"])
def test_nobody_who_waits_at_a_pipe_is_let_in(repo: Any, tmp_path: Path, by: str) -> None:
    root = repo.path if by == "git" else tmp_path / "plain"
    pipe = root / "pipe"
    if by == "git":
        repo.commit("pipe", "once a file")
        pipe.unlink()
    else:
        root.mkdir()
    os.mkfifo(pipe)
    let_in = threading.Event()

    def wait() -> None:
        with pipe.open("wb"):
            let_in.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    source = Worktree(root=root, only=("pipe",) if by == "name" else ())
    (gap,) = source.batches()
    assert isinstance(gap, Gap)
    assert not let_in.wait(0.05)
    with pipe.open("rb"):
        waiting.join()
    assert (gap.path, gap.why) == ("pipe", "named pipe, never opened")


def test_many_files_come_in_larger_batches() -> None:
    sizes = [len(batch) for batch in batched(map(str, range(3_000))) if isinstance(batch, tuple)]
    assert sizes == [BATCH] * 16 + [2 * BATCH] * 15 + [3_000 - 46 * BATCH]


def test_links_lead_neither_out_of_the_root_nor_into_a_loop(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(token(1))
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").symlink_to(outside / "secret.txt")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to("self")
    outcome = scan(root)
    assert outcome.places == []
    assert {gap.path for gap in outcome.gaps} == {"file", "folder", "loop", "self"}
    assert not outcome.incomplete


def test_a_tracked_folder_exchanged_for_a_link_does_not_lead_out(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.txt").write_text(token(1))
    repo.commit("folder/x.txt", "harmless")
    (repo.path / "folder" / "x.txt").unlink()
    (repo.path / "folder").rmdir()
    (repo.path / "folder").symlink_to(outside)
    outcome = scan(repo.path, history=False)
    assert outcome.places == []
    assert ("folder/x.txt", "behind a symbolic link") in [(g.path, g.why) for g in outcome.gaps]


def test_a_file_that_vanishes_after_listing_makes_the_scan_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    source = Worktree(root=tmp_path)
    (batch,) = source.batches()
    assert isinstance(batch, tuple)
    (tmp_path / "a.txt").unlink()
    (gap,) = source.read(batch)
    assert getattr(gap, "incomplete", False)


def test_a_file_exchanged_for_a_folder_makes_the_scan_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    source = Worktree(root=tmp_path)
    (batch,) = source.batches()
    assert isinstance(batch, tuple)
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").mkdir()
    (gap,) = source.read(batch)
    assert getattr(gap, "incomplete", False)
