from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
Stanch = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def stanch(tmp_path_factory: pytest.TempPathFactory) -> Stanch:
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str | Path, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [Path(sys.executable).with_name("stanch"), "scan", *arguments],
            input=feed,
            capture_output=True,
            check=False,
            timeout=60,
            env=dict(os.environ) | {"STANCH_HOME": str(home), "PYTHONUTF8": "1"},
        )

    return run


CONTRACT = (
    "rule provider kind path line column end_line end_column source commit author date in_head "
    "link layer job fingerprint preview severity confidence reason title excerpt"
)


def test_a_finding_is_one_json_line_as_in_the_contract(
    stanch: Stanch, repo: Any, token: Token
) -> None:
    commit = repo.commit("deploy/env.sh", f"\n  T={token(1)}\n")
    done = stanch("--format", "jsonl", repo.path)
    here, past = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(here) == CONTRACT.split()
    expected = {
        "provider": "github", "path": "deploy/env.sh", "line": 2, "column": 5, "end_line": 2,
        "end_column": 45, "source": "worktree", "commit": None, "author": None, "date": None,
        "in_head": None, "link": None, "layer": None, "job": None, "severity": "critical",
        "confidence": "high", "title": "GitHub personal access token (classic)",
        "excerpt": "T=••••••••",
    }  # fmt: skip
    assert here | expected == here
    assert here["fingerprint"].startswith("v1:")
    own = {"source", "commit", "author", "date", "in_head"}
    assert {key for key in here if here[key] != past[key]} == own
    assert (past["source"], past["commit"], past["in_head"]) == ("git-history", commit, True)
    assert done.returncode == 1
    assert token(1).encode() not in done.stdout + done.stderr


def test_the_table_groups_places_by_credential_and_fits_80_columns(
    stanch: Stanch, repo: Any, token: Token
) -> None:
    for number in range(5):
        repo.commit(f"{'long-name/' * 6}{number}.txt", token(1))
    done = stanch(repo.path)
    text = done.stdout.decode()
    assert text.count("CRITICAL") == 1
    assert "+3 more places" in text
    assert max(map(len, text.splitlines())) <= 80
    assert b"1 credential in 6 places \xc2\xb7 5 files + 1 git blob" in done.stderr
    assert token(1) not in text


def test_a_clean_tree_exits_0_and_says_what_was_read(stanch: Stanch, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    (tmp_path / "b.bin").write_bytes(b"\0")
    done = stanch(tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"skipped: 1 x binary (b.bin)" in done.stderr
    assert b"0 credentials in 0 places \xc2\xb7 1 file" in done.stderr
    assert stanch("--quiet", tmp_path).stderr == b""


def test_an_incomplete_scan_without_findings_exits_3_even_when_quiet(
    stanch: Stanch, repo: Any
) -> None:
    repo.commit("a.txt", "x")
    (repo.path / ".git" / "refs" / "heads" / "bad").write_text("1" * 40 + "\n")
    done = stanch("--quiet", repo.path)
    assert done.returncode == 3
    assert b"incomplete: 1 x broken ref (refs/heads/bad)" in done.stderr
    assert b"not a clean bill" in done.stderr


def test_findings_win_over_incompleteness_which_is_still_said(
    stanch: Stanch, repo: Any, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    (repo.path / ".git" / "refs" / "heads" / "bad").write_text("1" * 40 + "\n")
    done = stanch(repo.path)
    assert done.returncode == 1
    assert b"not a clean bill" in done.stderr


def test_standard_input_is_a_target(stanch: Stanch, token: Token) -> None:
    done = stanch("--format", "jsonl", "-", feed=f"a\n{token(1)}\n".encode())
    row = json.loads(done.stdout)
    assert (row["path"], row["line"], row["source"]) == ("<stdin>", 2, "stream")


def test_staged_reads_the_index_alone(stanch: Stanch, repo: Any, token: Token) -> None:
    repo.commit("a.txt", token(1))
    repo.write("b.txt", token(2))
    repo.git("add", "b.txt")
    rows = stanch("--staged", "--format", "jsonl", repo.path).stdout.splitlines()
    assert [json.loads(row)["path"] for row in rows] == ["b.txt"]


def test_output_goes_to_a_file(stanch: Stanch, tmp_path: Path, token: Token) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(token(1))
    done = stanch(tmp_path / "in", "--format", "jsonl", "--output", tmp_path / "out.jsonl")
    assert done.stdout == b""
    assert json.loads((tmp_path / "out.jsonl").read_text())["path"] == "a.txt"


def test_names_from_a_repository_cannot_act_on_the_terminal(
    stanch: Stanch, tmp_path: Path, token: Token
) -> None:
    (tmp_path / "\x1b[31m[red]\u202egpj.txt").write_text(token(1))
    (tmp_path / "\x1b]0;title\x07\n.bin").write_bytes(b"\0")
    done = stanch(tmp_path)
    text = (done.stdout + done.stderr).decode()
    assert "\\x1b[31m[red]\\u202egpj.txt:1" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["/nowhere/at/all"], 2, "no file or directory /nowhere/at/all"),
        (["--staged", "{plain}"], 2, "not in a git repository"),
        (["--history", "{plain}"], 2, "not in a git repository"),
        (["--history", "-"], 2, "standard input has neither"),
        (["ext::sh"], 2, "not fetched by ext"),
        (["ext::sh -c true"], 2, "characters that no address has"),
        (["image:./alpine.tar"], 2, "there is no file or directory"),
        (["log:build"], 2, "there is no file build"),
        (["--fingerprint-key", "env:STANCH_NO_SUCH", "{plain}"], 2, "is not set"),
        (["--output", "/nowhere/out", "{plain}"], 2, "cannot write /nowhere/out"),
        (["--format", "xml", "{plain}"], 2, "xml"),
    ],
)
def test_bad_input_is_one_message_and_a_documented_exit_code(
    stanch: Stanch, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = stanch(*[each.format(plain=tmp_path) for each in arguments])
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_an_unreadable_file_makes_the_scan_incomplete(tmp_path: Path) -> None:
    """Root can read everything, so the scan runs as nobody."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    tmp_path.chmod(0o755)
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "locked").mkdir(mode=0o700)
    program = (
        "import os, sys; from pathlib import Path\n"
        "from stanch.scanner.api import FingerprintKey, Scanner, SecretValue\n"
        "scanner = Scanner(key=FingerprintKey(SecretValue(bytes(32))))\n"
        "os.chdir(sys.argv[1]); os.setgid(65534); os.setuid(65534)\n"
        "print(sorted((g.path, g.incomplete) for g in scanner.scan_path(Path('.'))))\n"
    )
    argv = [sys.executable, "-c", program, str(tmp_path)]
    for place in tmp_path.parents:
        if place.name.startswith(("pytest-", "popen-")):  # one more level under xdist
            place.chmod(0o755)
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[('a.txt', True), ('locked/', True)]"


def test_a_small_scan_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "shape.py").write_text("def area(width, height):\n    return width * height\n")
    code = (
        "import contextlib, sys; from stanch.scanner.cli.scan import command\n"
        "with contextlib.suppress(SystemExit): command.main(sys.argv[1:])\n"
        "print(*sys.modules)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path), "--no-history"]
    for _ in range(2):  # the first run may have to fill the cache of compiled rules
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
    heavy = {"msgspec", "multiprocessing", "tempfile", "rich", "yaml", "cryptography",
             "pathspec", "importlib.metadata", "detect_secrets", "stanch.responder.cli.main", "ssl",
             "stanch.scanner.sources.git.repository"}  # fmt: skip
    assert heavy.isdisjoint(done.stdout.split()), heavy.intersection(done.stdout.split())
