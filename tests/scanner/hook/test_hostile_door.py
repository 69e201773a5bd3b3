"""A repository that wants to run something runs nothing, whichever door it comes to."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """What the programs of the hostile repository would make."""
    return tmp_path / "canary"


@pytest.fixture
def hostile(ann: Any, place: Path, canary: Path, token: Token) -> Path:
    """A branch with a leak in a repository with every trap that git knows, all armed at once."""
    trap = place.parent / "trap"
    trap.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{canary}'\nexit 1\n")
    trap.chmod(0o755)
    hooks = place / "hooks"
    hooks.mkdir()
    for name in (
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
    ):
        (hooks / name).symlink_to(trap)
    (place / ".gitattributes").write_text("* diff=evil filter=evil merge=evil text=auto ident\n")
    (place / ".gitmodules").write_text(
        f'[submodule "evil"]\n\tpath = evil\n\turl = ext::{trap}\n\tupdate = !{trap}\n'
    )
    ann.git("checkout", "-q", "-b", "topic", cwd=place)
    (place / "new.env").write_text(f"T={token(71)}\n")
    ann.git("add", "-A", cwd=place)
    ann.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},evil", cwd=place)
    assert ann.git("commit", "-q", "-m", "leak", cwd=place).returncode == 0
    (place / "next.env").write_text(f"T={token(72)}\n")
    ann.git("add", "next.env", cwd=place)
    (place / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in hooks.iterdir():
        (place / ".git" / "hooks" / hook.name).symlink_to(trap)
    with (place / ".git" / "config").open("a") as file:
        file.write(_CONFIG.replace("TRAP", str(trap)).replace("HOOKS", str(hooks)))
    # An alternate object store, and attributes that only the repository's own folder has.
    info = place / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text("* diff=evil filter=evil\n")
    (place / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (place / ".git" / "objects" / "info" / "alternates").write_text(f"{place.parent}/nowhere\n")
    return place


_CONFIG = """
[core]
	fsmonitor = TRAP
	hooksPath = HOOKS
	sshCommand = TRAP
	pager = TRAP
	editor = TRAP
	askPass = TRAP
	gitProxy = TRAP
	alternateRefsCommand = TRAP
	attributesFile = TRAP
[diff]
	external = TRAP
[diff "evil"]
	command = TRAP
	textconv = TRAP
[filter "evil"]
	clean = TRAP
	smudge = TRAP
	process = TRAP
	required = true
[merge "evil"]
	driver = TRAP
[gpg]
	program = TRAP
[log]
	showSignature = true
[credential]
	helper = !TRAP
[remote "origin"]
	url = ext::TRAP
	uploadpack = TRAP
	promisor = true
[protocol "ext"]
	allow = always
[submodule]
	recurse = true
[submodule "evil"]
	url = ext::TRAP
	update = !TRAP
	active = true
[uploadpack]
	packObjectsHook = TRAP
[alias]
	ls-files = !TRAP
	rev-list = !TRAP
	cat-file = !TRAP
"""


def test_the_traps_do_spring(ann: Any, hostile: Path, canary: Path) -> None:
    ann.git("status", cwd=hostile)
    ann.git("diff", "HEAD", cwd=hostile)
    assert "trap" in canary.read_text()


_DOORS: tuple[tuple[str, ...], ...] = (
    ("scan", "."),
    ("scan", ".", "--history", "--no-cache"),
    ("scan", ".", "--staged"),
    ("scan", ".", "--anomalies"),
    ("ci",),
    ("hook", "run"),
    ("hook", "run", "new.env"),
    ("hook", "pre-commit"),
    ("hook", "pre-push", "origin", "url"),
    ("baseline", "create", "--reason", "x", "--expires", "never", "--author", "a"),
    ("guard",),
)


@pytest.mark.parametrize("door", _DOORS, ids=" ".join)
def test_no_door_runs_what_a_repository_names(
    ann: Any, hostile: Path, canary: Path, door: tuple[str, ...], token: Token
) -> None:
    head = (hostile / ".git" / "refs" / "heads" / "topic").read_text().strip()
    feeds = {
        "pre-push": f"refs/heads/topic {head} refs/heads/topic {'0' * 40}\n",
        "guard": f'{{"file_path": "{hostile}/new.env"}}',
    }
    feed = next((text for word, text in feeds.items() if word in door), "")
    done = ann.stanch(*door, cwd=hostile, feed=feed)
    assert not canary.exists(), canary.read_text()
    assert done.returncode == {"baseline": 0, "guard": 2}.get(door[0], 1), done.stderr
    assert "Traceback" not in done.stderr
    assert token(71) not in done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["/" + "9" * 300, "/" + "a/" * 3000, "/a\0b"])
def test_an_event_may_come_from_a_place_that_cannot_be(
    ann: Any, tmp_path: Path, folder: str
) -> None:
    feed = json.dumps({"cwd": folder, "file_path": "new.env"})
    done = ann.stanch("guard", cwd=tmp_path, feed=feed)
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_a_server_with_a_hostile_configuration_runs_nothing(
    ann: Any, hostile: Path, canary: Path, tmp_path: Path
) -> None:
    """The objects of the repository, served: only our own hook is called, by hand."""
    bare = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", "-b", "main", bare, cwd=tmp_path)
    head = (hostile / ".git" / "refs" / "heads" / "topic").read_text().strip()
    for name in ("objects", "refs"):
        (bare / name).rename(bare / f"old-{name}")
        (bare / name).symlink_to(hostile / ".git" / name)
    (bare / "config").write_text((hostile / ".git" / "config").read_text())
    (bare / "refs" / "heads" / "topic").unlink()
    feed = f"{'0' * 40} {head} refs/heads/topic\n"
    done = ann.stanch("hook", "pre-receive", cwd=bare, feed=feed)
    assert done.returncode == 1, done.stderr
    assert not canary.exists(), canary.read_text()


def test_a_gigabyte_in_one_line_and_one_of_nothing_need_little_memory(
    ann: Any, tmp_path: Path, token: Token
) -> None:
    """200 MB in one line, a sparse GB, zeros: read within 600 MB of address space for data."""
    tree = tmp_path / "tree"
    tree.mkdir()
    with (tree / "one-line.js").open("wb") as file:
        for _ in range(200):
            file.write(b"var a=1;" * (1 << 17))
        file.write(b" " + token(73).encode())
    with (tree / "sparse.log").open("wb") as file:
        file.write(b"log\n" * 4000)
        file.truncate(1 << 30)
    with (tree / "zeros.bin").open("wb") as file:
        file.truncate(1 << 30)
    os.mkfifo(tree / "pipe")
    program = Path(sys.executable).with_name("stanch")
    command = f"ulimit -d {600 << 10}; exec {program} scan tree --format jsonl"
    done = ann.run("sh", "-c", command, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert '"path":"one-line.js"' in done.stdout.replace(" ", "")
    assert f'"column":{200 * (8 << 17) + 2},' in done.stdout.replace(" ", "")
