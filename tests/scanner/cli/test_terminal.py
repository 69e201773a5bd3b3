"""What a terminal, a pipe, a disk and a home are not: said once, with exit code and remedy."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.scanner.conftest import github_token

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
_NOWHERE = "/dev/null/home"  # below a file: nobody can make it, root neither


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(home: Path, repo: Any) -> Run:
    """A command in a repository that has a leak, whose file has a name of many alphabets."""
    repo.commit("Ž—\U0001f600.env", f"T={github_token(1)}\n")

    def run(
        words: str, out: int | IO[bytes] = subprocess.PIPE, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        program, *arguments = words.split()
        return subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=repo.path,
            env={name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME")}
            | {"HOME": str(home)}
            | environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize(
    "words", ["stanch scan . --no-history", "stanch-hook run Ž—\U0001f600.env"]
)
def test_a_finding_is_shown_in_any_encoding(run: Run, encoding: str, words: str) -> None:
    done = run(words, PYTHONIOENCODING=encoding)
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert rb"\ud83d\ude00.env:1" in done.stdout + done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_stays_json_in_any_encoding(run: Run, encoding: str) -> None:
    done = run("stanch scan . --no-history --format jsonl", PYTHONIOENCODING=encoding)
    (row,) = map(json.loads, done.stdout.decode(encoding).splitlines())
    assert row["path"] == "Ž—\U0001f600.env"


@pytest.mark.parametrize(
    "words",
    [
        "stanch scan . --no-history",
        "stanch scan . --no-history --format jsonl",
        "stanch ci --report jsonl=-",
        "stanch rules list",
        "stanch --help",
        "stanch-hook run --json Ž—\U0001f600.env",
    ],
)
def test_a_full_disk_is_one_message_and_never_clean(run: Run, words: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(words, full)
    assert done.returncode in {1, 3}  # 1 where it is known already that there are findings
    said = done.stderr.decode()
    assert "error: standard output cannot be written: No space left on device\n  help: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize("words", ["stanch scan .", "stanch ci", "stanch hook install"])
def test_without_git_it_says_so(run: Run, tmp_path: Path, words: str) -> None:
    done = run(words, PATH=str(tmp_path))
    assert done.returncode in {2, 3}
    first, remedy = done.stderr.decode().splitlines()
    assert first.startswith("error: git is not ")
    assert remedy.startswith("  help: install git")


def test_an_audit_without_a_terminal_says_how_to_do_without(run: Run) -> None:
    done = run("stanch baseline audit")
    assert done.returncode == 2
    assert b"error: audit asks questions, and there is no terminal" in done.stderr
    assert b"  help: run it in a terminal" in done.stderr


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        ("stanch scna", "Did you mean 'scan'?", "stanch --help"),
        ("stanch scan --histroy", "'--history'", "stanch scan --help"),
        ("stanch baseline prnue", "Did you mean 'prune'?", "stanch baseline --help"),
        ("stanch scan --format xml", "'xml' is not one of", "stanch scan --help"),
        ("stanch hook rnu", "Did you mean 'run'?", "stanch hook --help"),
        ("stanch hook run --min-confidense=low", "unrecognized arguments", "stanch hook --help"),
        ("stanch-hook run --staegd", "Did you mean '--staged'?", "stanch hook --help"),
        ("stanch-hook run --min-confidence lwo", "Did you mean 'low'?", "stanch hook run --help"),
    ],
)
def test_a_word_mistyped_is_named_with_what_was_meant(
    run: Run, words: str, said: str, remedy: str
) -> None:
    done = run(words)
    assert done.returncode == 2
    first, help_line = done.stderr.decode().splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert help_line == f"  help: {remedy}"


def test_a_scan_without_a_target_reads_where_it_stands(run: Run) -> None:
    done = run("stanch scan --no-history --format jsonl")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [("stanch scan .", 1), ("stanch ci", 1), ("stanch-hook run --staged", 0)],
)
def test_without_a_home_a_run_has_a_key_of_its_own_and_says_so(
    run: Run, words: str, code: int
) -> None:
    done = run(words, HOME=_NOWHERE)
    assert done.returncode == code, done.stderr
    said = done.stderr.decode()
    assert said.count("this run's fingerprints are its own and compare with no other's") == 1
    assert "set STANCH_HOME to a directory you may write" in said


def test_a_doctor_does_not_promise_what_cannot_be_created(run: Run) -> None:
    said = " ".join(run("stanch doctor", HOME=_NOWHERE).stdout.decode().split())
    assert "will be created" not in said
    assert said.count("cannot be created") == 5  # data, store, three keys


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_no_color_means_no_codes_at_all(run: Run, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    run("stanch scan . --no-history", theirs, TERM="xterm-256color")
    assert b"\x1b[" in os.read(ours, 65_536)
    run("stanch scan . --no-history", theirs, TERM="xterm-256color", NO_COLOR="1")
    os.close(theirs)
    assert b"\x1b[" not in os.read(ours, 65_536)


def test_no_summary_of_a_command_is_cut(run: Run) -> None:
    for words in ("stanch baseline --help", "stanch rules --help"):
        assert b"..." not in run(words).stdout.partition(b"Commands:")[2]
