from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from stanch.scanner.api import MaskingFilter, SecretValue

Token = Callable[[int], str]
STANCH = Path(sys.executable).with_name("stanch")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return dict(os.environ) | {"STANCH_HOME": str(tmp_path / "home"), "DB_PW": "hunter2 hunter2"}


def started(environ: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [STANCH, "mask", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        bufsize=0,
    )


def until(process: subprocess.Popen[bytes], end: bytes) -> tuple[bytes, float]:
    """What comes out up to that end, and how long it took."""
    assert process.stdout is not None
    began, got = time.monotonic(), b""
    while not got.endswith(end):
        more = os.read(process.stdout.fileno(), 65536)
        assert more, got
        got += more
    return got, time.monotonic() - began


def test_a_stream_is_masked_line_by_line_while_it_runs(
    environ: dict[str, str], token: Token
) -> None:
    process = started(environ, "--value", "env:DB_PW")
    assert process.stdin is not None
    process.stdin.write(b"\xffready\r\n")
    assert until(process, b"\n")[0] == b"\xffready\r\n"
    text = f"export T={token(1)} P=hunter2 hunter2\n".encode()
    for start, end in ((0, 25), (25, 60), (60, len(text))):
        process.stdin.write(text[start:end])
        time.sleep(0.02)  # longer than anything waits that may go on
    assert until(process, b"\n")[0] == b"export T=[MASKED] P=[MASKED]\n"
    waits = []
    for number in range(20):
        process.stdin.write(b"line %d\n" % number)
        waits.append(until(process, b"line %d\n" % number)[1])
    assert sorted(waits)[10] < 0.05  # the middle one: this machine has others
    process.send_signal(signal.SIGINT)  # the writer says something still
    process.stdin.write(b"last " + token(2).encode())
    process.stdin.close()
    assert process.stdout is not None
    assert process.stdout.read() == b"last [MASKED]"
    assert process.wait(timeout=20) == 0
    with process:
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_reader_that_has_gone_ends_it_without_a_word(environ: dict[str, str]) -> None:
    process = started(environ)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.write(b"somebody?\n" * 100)
        process.stdin.close()
    with process:
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_file_is_followed_through_rotation_and_truncation(
    environ: dict[str, str], tmp_path: Path, token: Token
) -> None:
    log = tmp_path / "app.log"
    log.write_text("first\n")
    process = started(environ, "--follow", str(log))
    assert until(process, b"\n")[0] == b"first\n"
    with log.open("a") as file:
        file.write(f"token {token(3)}\n")
    assert until(process, b"\n")[0] == b"token [MASKED]\n"
    log.rename(tmp_path / "app.log.1")
    log.write_text(f"after rotation {token(4)}\n")
    assert until(process, b"\n")[0] == b"after rotation [MASKED]\n"
    log.write_text("cut\n")
    assert until(process, b"\n")[0] == b"cut\n"
    process.send_signal(signal.SIGINT)
    with process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_mistakes_are_told_before_anything_is_read(environ: dict[str, str]) -> None:
    for arguments, said in (
        (("--value", "env:NO_SUCH"), b"NO_SUCH is not set"),
        (("--value", "hunter2hunter2"), b"neither env:NAME nor file:/path"),
        (("--follow", "/no/such.log"), b"cannot read /no/such.log"),
    ):
        done = subprocess.run(
            [STANCH, "mask", *arguments], input=b"x", capture_output=True, env=environ, check=False
        )
        assert done.returncode == 2
        assert said in done.stderr
        assert b"hunter2hunter2" not in done.stderr


def test_a_closed_input_and_a_full_disk_are_told(environ: dict[str, str]) -> None:
    closed = subprocess.run(
        ["sh", "-c", f"{STANCH} mask <&-"],
        capture_output=True,
        env=environ,
        check=False,
    )
    assert (closed.returncode, closed.stderr[:31]) == (2, b"error: standard input is closed")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [STANCH, "mask"],
            input=b"x\n",
            stdout=full,
            stderr=subprocess.PIPE,
            env=environ,
            check=False,
        )
    assert done.returncode == 3
    assert b"cannot be written" in done.stderr


def test_what_a_program_logs_goes_on_without_its_credentials(token: Token) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(message)s %(user)s"))
    handler.addFilter(MaskingFilter(values=[SecretValue(b"correct horse")]))
    logger = logging.getLogger("stanch-mask-test")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        try:
            int(f"bad token {token(5)}")
        except ValueError:
            logger.exception("with %s failed", token(6), extra={"user": "correct horse ✓"})
    finally:
        logger.removeHandler(handler)
    said = out.getvalue()
    assert said.startswith("with [MASKED] failed [MASKED] ✓\nTraceback")
    assert "'bad token [MASKED]'" in said
    assert not any(value in said for value in (token(5), token(6), "correct horse"))
