"""`stanch scan` scans in a process of its own, and nobody can tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]

TOGETHER = "from stanch.responder.cli.start import main; main()"
ALONE = "import stanch.scanner.companion as c; c.begin = lambda: None; " + TOGETHER
#: Says on standard error which process it is that scans, and waits for a file to appear.
SLOW = (
    """
import os, sys, time
from stanch.scanner import companion
serve = companion._serve
def slow(wire):
    from stanch.scanner import shard
    run = shard.run
    def told(*given, **more):
        print(os.getpid(), file=sys.stderr, flush=True)
        while not os.path.exists(sys.argv[-1] + "/go"):
            time.sleep(0.01)
        yield from run(*given, **more)
    import stanch.scanner.api
    stanch.scanner.api.run = told
    serve(wire)
companion._serve = slow
"""
    + TOGETHER
)


def _environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return os.environ | {"STANCH_HOME": str(tmp_path / "home"), "COLUMNS": "80"} | more


def _run(tmp_path: Path, program: str, *arguments: str, **more: Any) -> Any:
    argv = [sys.executable, "-c", program, "scan", *arguments]
    environment = _environment(tmp_path)
    return subprocess.run(
        argv, check=False, capture_output=True, env=environment, timeout=60, **more
    )


def _same(tmp_path: Path, *arguments: str, **more: Any) -> Any:
    """What a command says and ends with, when both ways of scanning agree on it."""
    seen = [_run(tmp_path, way, *arguments, **more) for way in (ALONE, TOGETHER)]
    for each in seen:
        each.stderr = b"".join(
            line for line in each.stderr.splitlines(keepends=True) if b" MB " not in line
        )
    alone, together = seen
    assert alone.stdout == together.stdout
    assert alone.stderr == together.stderr
    assert alone.returncode == together.returncode
    return together


def test_it_finds_the_same_in_the_same_order(tmp_path: Path, tree: Path) -> None:
    done = _same(tmp_path, str(tree), "--format", "jsonl")
    assert (len(done.stdout.splitlines()), done.returncode) == (20, 1)
    assert b"1 x binary (5/x.bin)" in done.stderr


def test_several_targets_and_standard_input_are_scanned_there_too(
    tmp_path: Path, tree: Path, token: Token
) -> None:
    two = _same(tmp_path, str(tree / "0"), str(tree / "1"), "--format", "jsonl")
    assert len(two.stdout.splitlines()) == 20
    piped = _same(tmp_path, "-", "--format", "jsonl", input=token(3).encode())
    assert json.loads(piped.stdout)["path"] == "<stdin>"


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("absent",), b"cannot read absent", 3),
        ((".", "--history"), b"not in a git repository", 2),
        ((".", "--fingerprint-key", "nonsense"), b"the fingerprint key's reference", 2),
        ((".", "--baseline", "absent"), b"absent", 2),
        ((".", "--plugin", "Absent"), b"Absent", 2),
        (("https://example.org/x.git",), b"cannot be scanned yet", 2),
    ],
)
def test_a_mistake_is_told_as_before(
    tmp_path: Path, arguments: tuple[str, ...], message: bytes, code: int
) -> None:
    (tmp_path / "here").mkdir()
    done = _same(tmp_path, *arguments, cwd=tmp_path / "here")
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert b"  help: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_own_rules_that_are_wrong_are_told_with_their_place(tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    (place / "own.yaml").write_text("provider: acme\nrules:\n  - id: acme-key\n")
    (place / "stanch.toml").write_text('[scan]\nrules = ["own.yaml"]\n')
    done = _same(tmp_path, ".", cwd=place)
    assert done.returncode == 2
    assert b"own.yaml:3" in done.stderr


@contextmanager
def _started(tmp_path: Path, tree: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A scan that has begun, and the process that does it."""
    argv = [sys.executable, "-c", SLOW, "scan", "--no-history", str(tree)]
    with subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(tmp_path),
        start_new_session=True,
    ) as scan:
        assert scan.stderr is not None
        try:
            yield scan, int(scan.stderr.readline())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(scan.pid, signal.SIGKILL)


def _ends(process: int) -> bool:
    for _ in range(500):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_scanning_process_that_dies_makes_the_scan_incomplete(tmp_path: Path, tree: Path) -> None:
    with _started(tmp_path, tree) as (scan, process):
        os.kill(process, signal.SIGKILL)
        _, said = scan.communicate(timeout=30)
    assert scan.returncode == 3
    assert "the scanning process died" in said
    assert "Traceback" not in said


def test_nothing_goes_on_when_the_command_is_gone(tmp_path: Path, tree: Path) -> None:
    with _started(tmp_path, tree) as (scan, process):
        scan.kill()
        scan.wait(timeout=30)
        (tree / "go").touch()
        assert _ends(process)


def test_stopping_by_hand_stops_both_without_a_trace(tmp_path: Path, tree: Path) -> None:
    with _started(tmp_path, tree) as (scan, process):
        os.killpg(scan.pid, signal.SIGINT)  # as a terminal does
        _, said = scan.communicate(timeout=30)
        assert (scan.returncode, said.strip()) == (130, "stopped")
        assert _ends(process)


def test_a_defect_says_where_it_is(tmp_path: Path, tree: Path) -> None:
    program = "import stanch.scanner.order as o; o.Order.accepted = None; " + TOGETHER
    done = _run(tmp_path, program, str(tree), text=True)
    assert done.returncode == 3
    assert "TypeError" in done.stderr
    assert "the scanning process died" in done.stderr


def test_where_no_process_can_be_started_the_command_scans_itself(
    tmp_path: Path, tree: Path
) -> None:
    program = (
        """
import os
def refused():
    os.fork = real
    raise BlockingIOError
real, os.fork = os.fork, refused
"""
        + TOGETHER
    )
    done = _run(tmp_path, program, str(tree), "--format", "jsonl")
    assert (len(done.stdout.splitlines()), done.returncode) == (20, 1)
