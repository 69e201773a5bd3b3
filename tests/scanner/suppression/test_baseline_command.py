"""``stanch baseline`` as people and pipelines use it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.suppression.baseline import Baseline

Token = Callable[[int], str]
WHY = ("--reason", "a revoked key", "--expires", "never", "--author", "ann@example.org")


def entries(path: Path) -> tuple[Any, ...]:
    return Baseline.read(path / ".stanch-baseline").entries


def test_the_file_holds_no_value_and_says_who_why_and_until_when(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.write("a.py", f'k = "{token(1)}"\n')
    stanch("baseline", "create", *WHY, cwd=repo.path)
    text = (repo.path / ".stanch-baseline").read_text()
    assert token(1) not in text
    assert token(1)[:8] not in text
    (only,) = entries(repo.path)
    assert (only.reason, only.author, only.expires) == ("a revoked key", "ann@example.org", None)


def test_a_reason_and_an_expiry_are_demanded(repo: Any, stanch: Any, token: Token) -> None:
    repo.write("a.py", f'k = "{token(1)}"\n')
    for wrong in (
        ("--reason", "why"),
        ("--expires", "never"),
        ("--reason", " ", "--expires", "never", "--author", "a"),
        ("--reason", "why", "--expires", "soon", "--author", "a"),
        ("--reason", "why", "--expires", "2001-01-01", "--author", "a"),
        ("--reason", "why", "--expires", "never"),  # git knows no author here
    ):
        ran = stanch("baseline", "create", *wrong, cwd=repo.path, GIT_CONFIG_GLOBAL="/dev/null")
        assert ran.code == 2, wrong
        assert not (repo.path / ".stanch-baseline").exists()


def test_one_finding_is_accepted_by_the_fingerprint_that_a_scan_shows(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.write("a.py", f'k = "{token(1)}"\nl = "{token(2)}"\n')
    before = stanch("scan", ".", "--format", "jsonl", cwd=repo.path)
    fingerprint = re.findall(r"v1:[0-9a-f]{32}", before.out)[0]
    ran = stanch("baseline", "add", fingerprint, *WHY, cwd=repo.path)
    assert ran.code == 0, ran.err
    after = stanch("scan", ".", "--format", "jsonl", cwd=repo.path)
    assert re.findall(r'"line": (\d)', after.out) == ["2"]


@pytest.mark.parametrize("words", ["WHY", "...", " REASON "])
def test_what_a_printed_command_has_in_the_reasons_place_is_no_reason(
    repo: Any, stanch: Any, token: Token, words: str
) -> None:
    repo.write("a.py", f'k = "{token(1)}"\n')
    ran = stanch("baseline", "add", "a.py:1", *WHY, "--reason", words, cwd=repo.path)
    assert ran.code == 2
    assert "stands for a reason" in ran.err
    assert not (repo.path / ".stanch-baseline").exists()


def test_another_reason_for_what_is_accepted_already_is_said(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.write("a.py", f'k = "{token(1)}"\n')
    assert "replaced" not in stanch("baseline", "add", "a.py:1", *WHY, cwd=repo.path).out
    ran = stanch("baseline", "add", "a.py:1", *WHY, "--reason", "of a drill", cwd=repo.path)
    assert "had another reason, which is replaced: a revoked key" in ran.out
    assert [each.reason for each in entries(repo.path)] == ["of a drill"]


def test_what_ends_can_be_prolonged(repo: Any, stanch: Any, token: Token) -> None:
    repo.write("a.py", f'k = "{token(1)}"\n')
    stanch("baseline", "create", "--reason", "a", "--expires", "5d", "--author", "a", cwd=repo.path)
    (first,) = entries(repo.path)
    assert first.expires is not None
    assert first.expires - first.added == timedelta(days=5)
    shown = stanch("scan", ".", "--show-suppressed", "--format", "jsonl", cwd=repo.path)
    fingerprint = re.findall(r"v1:[0-9a-f]{32}", shown.out)[0]
    stanch("baseline", "add", fingerprint, *WHY, cwd=repo.path)
    assert entries(repo.path)[0].expires is None


def test_check_names_stale_and_expired_entries_and_prune_removes_them(
    repo: Any, stanch: Any, token: Token
) -> None:
    for seed in (1, 2, 3):
        repo.write(f"{seed}.py", f'k = "{token(seed)}"\n')
    stanch("baseline", "create", *WHY, cwd=repo.path)
    assert stanch("baseline", "check", cwd=repo.path).code == 0
    path = repo.path / ".stanch-baseline"
    whole = Baseline.read(path)
    text = path.read_text().splitlines(keepends=True)
    ended = str(date(2020, 1, 1))
    place = next(n for n, line in enumerate(text) if '"path":"1.py"' in line)
    text[place] = text[place].replace('"expires":null', f'"expires":"{ended}"')
    path.write_text("".join(text))
    (repo.path / "2.py").unlink()
    checked = stanch("baseline", "check", cwd=repo.path)
    assert checked.code == 1
    assert "expired on 2020-01-01" in checked.out
    assert re.search(r"hides nothing: \w{12} github-pat 2\.py", checked.out)
    back = stanch("scan", ".", cwd=repo.path)
    assert back.code == 1
    assert "not suppressed: 1.py:1 github-pat: its waiver expired on 2020-01-01" in back.err
    stanch("baseline", "prune", cwd=repo.path)
    assert [each.path for each in entries(repo.path)] == ["3.py"]
    assert len(whole.entries) == 3


def test_a_pipeline_with_a_waiver_key_counts_signed_entries_only(
    repo: Any, stanch: Any, token: Token, tmp_path: Path
) -> None:
    key = f"file:{tmp_path / 'waiver.key'}"
    public = stanch("baseline", "key", key, cwd=repo.path).out.strip()
    assert stanch("baseline", "key", key, cwd=repo.path).out.strip() == public
    repo.write("a.py", f'k = "{token(1)}"\n')
    stanch("baseline", "create", *WHY, cwd=repo.path)
    assert stanch("scan", ".", cwd=repo.path).code == 0
    unsigned = stanch("scan", ".", cwd=repo.path, STANCH_WAIVER_KEY=public)
    assert unsigned.code == 1
    assert "not signed" in unsigned.err
    assert stanch("baseline", "check", "--waiver-key", public, cwd=repo.path).code == 1
    stanch("baseline", "sign", "--all", "--key", key, cwd=repo.path)
    assert stanch("scan", ".", cwd=repo.path, STANCH_WAIVER_KEY=public).code == 0


TYPED = (  # what the screen asks, and what is answered
    ("1/3", ""),
    ("[q]uit > ", "r"),
    ("2/3", ""),
    ("[q]uit > ", "f"),
    ("acceptable: ", "only in a recording\n"),
    ("never): ", "soon\n"),
    ("never): ", "never\n"),
    ("[q]uit > ", "s"),
    ("stanch respond", ""),
)


def test_an_audit_in_a_terminal_accepts_skips_and_names_what_is_real(
    repo: Any, token: Token, tmp_path: Path
) -> None:
    for seed in (1, 2, 3):
        repo.write(f"{seed}.py", f'k = "{token(seed)}"\n')
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stanch", "baseline", "audit"]
    environment = {**os.environ, "STANCH_HOME": str(tmp_path / "home"), "TERM": "dumb"}
    audit = subprocess.Popen(
        [*command, "--author", "ann@example.org", "--target", str(repo.path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    screen = ""
    for awaited, keys in TYPED:
        screen += _until(ours, awaited, screen)
        if awaited.startswith("[q]"):
            _wait_for_single_keys(ours)
        os.write(ours, keys.encode())
        if keys:
            screen += "\x00"  # what was seen before this key answers no later question
    assert audit.wait(timeout=30) == 0
    os.close(ours)
    assert re.search(r"ghp_….{4}\s+1\.py:1", screen)
    assert "real: 1.py:1" in screen
    assert not any(token(seed) in screen for seed in (1, 2, 3))
    assert [(each.path, each.reason) for each in entries(repo.path)] == [
        ("2.py", "only in a recording")
    ]


def _wait_for_single_keys(terminal: int) -> None:
    """A key that comes before the program has turned line editing off is thrown away."""
    deadline = time.monotonic() + 30
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _until(terminal: int, awaited: str, screen: str) -> str:
    """What the program prints until it has printed what is awaited."""
    fresh = b""
    since = screen.rpartition("\x00")[2]
    while awaited not in since + fresh.decode(errors="ignore"):
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, f"{awaited!r} was never asked: {screen}"
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the program has closed its end
            break
        fresh += read
    return fresh.decode(errors="ignore")


@pytest.mark.parametrize("name", ["list", "check", "prune"])
def test_without_a_baseline_the_way_to_make_one_is_named(repo: Any, stanch: Any, name: str) -> None:
    ran = stanch("baseline", name, cwd=repo.path)
    assert ran.code == 2
    assert "stanch baseline create" in ran.err


def test_a_part_of_the_repository_calls_nothing_stale(repo: Any, stanch: Any, token: Token) -> None:
    repo.write("src/1.py", f'k = "{token(1)}"\n')
    repo.commit("old.py", f'k = "{token(2)}"\n')
    stanch("baseline", "create", *WHY, cwd=repo.path)
    repo.commit("old.py", "k = None\n")
    for part in (("--target", "src"), ("--no-history",)):
        assert stanch("baseline", "check", *part, cwd=repo.path).code == 0
        assert stanch("baseline", "prune", *part, cwd=repo.path).code == 2
    assert stanch("baseline", "prune", cwd=repo.path / "src").code == 0
    assert len(entries(repo.path)) == 2
