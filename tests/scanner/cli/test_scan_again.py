"""A history in which nothing has changed is not read again, and whoever asks is told the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.cli import again

Token = Callable[[int], str]
Done = subprocess.CompletedProcess[str]
_START = "from stanch.responder.cli.start import main; main()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A bare repository, and the command line of somebody who looks after it."""

    bare: Path
    home: Path
    origin: Any

    def scan(self, *options: str, cwd: Path | None = None, waiver_key: str = "") -> Done:
        return subprocess.run(
            [sys.executable, "-X", "importtime", "-c", _START, "scan", "bare", *options],
            cwd=cwd or self.bare.parent,
            env=os.environ | {"STANCH_HOME": str(self.home), "STANCH_WAIVER_KEY": waiver_key},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def answer(self, *options: str, waiver_key: str = "") -> tuple[bool, int, str]:
        """Whether it was known without a look, the exit code, and the findings."""
        done = self.scan("--format", "jsonl", *options, waiver_key=waiver_key)
        assert "Traceback" not in done.stderr
        return " click" not in done.stderr, done.returncode, done.stdout

    def push(self, path: str, text: str) -> None:
        self.origin.commit(path, text)
        self.origin.git("push", "-q", str(self.bare), "HEAD:main")


@pytest.fixture
def server(repo: Any, tmp_path: Path, token: Token) -> Server:
    """One token in the history, and another that an accepted comment waives."""
    repo.commit("a.env", f"T={token(1)}\n")
    repo.commit("a.env", "T=\n")
    repo.commit("b.env", f"T={token(2)}  # stanch: allow it is a sample\n")
    (tmp_path / "server").mkdir()
    bare = tmp_path / "server" / "bare"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    return Server(bare=bare, home=tmp_path / "home", origin=repo)


def test_the_same_question_gets_the_same_answer_and_loads_nothing(
    server: Server, token: Token
) -> None:
    first, second = server.scan("--format", "jsonl"), server.scan("--format", "jsonl")
    assert (first.returncode, second.returncode) == (1, 1)
    assert second.stdout == first.stdout != ""
    for module in (
        " click",
        " subprocess",
        " stanch.scanner.api",
        " stanch.scanner.detectors.engine",
    ):
        assert f"{module}\n" in first.stderr
        assert f"{module}\n" not in second.stderr
    said = [line for line in second.stderr.splitlines() if not line.startswith("import time:")]
    assert len(said) == 1
    assert said[0].startswith("1 credential in 1 place · 1 place suppressed · 0 files · 0.0 MB · ")
    kept = [path for path in (server.home / "history").iterdir() if "again" in path.name]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
    assert token(1).encode() not in kept[0].read_bytes()


def test_a_file_is_written_again_too(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    told = server.answer("--output", str(out), "--quiet")
    text = out.read_text()
    out.unlink()
    assert server.answer("--output", str(out), "--quiet") == (True, 1, "") != told
    assert out.read_text() == text != ""
    out.unlink()
    out.mkdir()
    assert server.answer("--output", str(out), "--quiet")[1] == 2


def test_another_question_is_looked_into(server: Server) -> None:
    assert not server.answer()[0]
    known, _, rows = server.answer("--show-suppressed")
    assert (known, rows.count("\n")) == (False, 2)
    assert server.answer()[0]
    (server.bare.parent / "elsewhere").mkdir()
    (server.bare.parent / "elsewhere" / "bare").symlink_to(server.bare)
    done = server.scan("--format", "jsonl", cwd=server.bare.parent / "elsewhere")
    assert " click\n" in done.stderr


def _push(server: Server) -> None:
    server.push("c.env", "nothing\n")


def _tag(server: Server) -> None:
    subprocess.run(["git", "tag", "new"], cwd=server.bare, check=True)


def _configure(server: Server) -> None:
    (server.bare.parent / "stanch.toml").write_text('[scan]\nmin_confidence = "low"\n')


def _configure_inside(server: Server) -> None:
    (server.bare / "pyproject.toml").write_text("[tool.other]\n")


def _replace_key(server: Server) -> None:
    key = server.home / "fingerprint.key"
    key.write_bytes(bytes(32))


def _graft(server: Server) -> None:
    (server.bare / "shallow").write_text("")


def _detach(server: Server) -> None:
    (server.bare / "HEAD").write_text("ref: refs/heads/elsewhere\n")


@pytest.mark.parametrize(
    "change",
    [_push, _tag, _configure, _configure_inside, _replace_key, _graft, _detach],
    ids=lambda change: change.__name__.strip("_"),
)
def test_whatever_an_answer_follows_from_is_looked_at(
    server: Server, change: Callable[[Server], None]
) -> None:
    server.answer()
    assert server.answer()[0]
    change(server)
    assert not server.answer()[0]


def test_a_new_token_is_found_and_a_waiver_that_is_not_signed_counts_no_more(
    server: Server, token: Token
) -> None:
    server.answer()
    server.push("c.env", f"T={token(3)}\n")
    assert server.answer()[2].count("\n") == 2
    public = "A" * 43 + "="
    known, _, rows = server.answer(waiver_key=public)
    assert (known, rows.count("\n")) == (False, 3)


def test_our_own_code_and_every_rule_count(server: Server) -> None:
    facts = again._facts([], {"STANCH_HOME": str(server.home)}, str(server.bare), None)
    stamped = {Path(each[0]).name for each in facts[5]}
    package = Path(again.__file__).parents[1]
    ours = {each.name for each in package.rglob("*") if each.suffix in {".py", ".yaml"}}
    assert ours <= stamped
    assert {"engine.py", "jsonl.py", "github.yaml", "fingerprint.key"} <= stamped


def test_a_repository_that_has_lost_something_is_never_called_known(server: Server) -> None:
    server.answer()
    assert server.answer()[0]
    shutil.rmtree(server.bare / "objects")
    (server.bare / "objects").mkdir()
    known, code, _ = server.answer()
    assert (known, code) == (False, 3)


def test_nobody_waits_for_a_pipe_in_a_repository_that_was_ordinary(server: Server) -> None:
    server.answer()
    os.mkfifo(server.bare / "refs" / "heads" / "pipe")
    known, code, _ = server.answer()
    assert (known, code) == (False, 3)


def _kept(server: Server) -> bool:
    folder = server.home / "history"
    return folder.is_dir() and any("again" in each.name for each in folder.iterdir())


def test_an_answer_with_gaps_is_not_kept(server: Server) -> None:
    shutil.rmtree(server.bare)
    source = f"file://{server.origin.path}"
    server.origin.git("clone", "-q", "--bare", "--depth", "1", source, str(server.bare))
    assert not server.answer()[0]
    assert not _kept(server)


@pytest.mark.parametrize(
    "options", [("--no-cache",), ("--no-history",), ("--format", "table"), ("--plugin", "all")]
)
def test_what_may_come_out_otherwise_is_not_kept(server: Server, options: tuple[str, ...]) -> None:
    done = server.scan(*options)
    assert done.returncode in {0, 1}
    assert not _kept(server)


def test_what_has_a_working_tree_is_read(server: Server, repo: Any) -> None:
    shutil.rmtree(server.bare)
    server.bare.symlink_to(repo.path)
    assert not server.answer()[0]
    assert not _kept(server)


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 5000])
def test_a_damaged_answer_is_found_anew(server: Server, damage: bytes) -> None:
    right = server.answer()
    for path in (server.home / "history").iterdir():
        if "again" in path.name:
            path.write_bytes(damage)
    assert server.answer() == right
    assert server.answer()[0]


def test_there_are_only_so_many_answers() -> None:
    names = {again._name((str(number),)) for number in range(3000)}
    assert len(names) <= 256
