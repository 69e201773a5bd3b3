"""Closing in a terminal: what the options leave open is asked."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk

PATIENCE = 60.0


def until(terminal: int, awaited: str) -> str:
    """Read until ``awaited`` stands on the screen."""
    screen, end = "", time.monotonic() + PATIENCE
    while awaited not in screen:
        assert time.monotonic() < end, f"{awaited!r} never came: {screen}"
        if select.select([terminal], [], [], 0.2)[0]:
            screen += os.read(terminal, 65536).decode("utf-8", "replace")
    return screen


def test_owners_and_the_reason_are_asked_for_and_the_last_owner_is_offered(case: Desk) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "stanch.responder.cli.main",
            "close",
            "LK-1",
            "--as",
            "bob",
            "--unproven",
        ],
        cwd=case.folder,
        env={**case._base(), **case.environment, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert "Who does what is left to do?" in until(ours, "owner: ")
    os.write(ours, b"dana\n")
    screen = until(ours, "owner [dana]: ")
    while "Reason: " not in screen:
        os.write(ours, b"\n")
        screen = until(ours, ": ")
    os.write(ours, b"the account is gone\n")
    shown = until(ours, "writes them down")
    assert process.wait(timeout=PATIENCE) == 0
    os.close(ours)
    assert "CLOSED, NOT PROVEN DEAD" in shown
    assert "dana: Bring the credential to proven dead" in shown
