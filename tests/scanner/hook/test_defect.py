"""A defect of ours prints places of code, never what was worked on, and exits alike everywhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """
import sys
from stanch.scanner.detectors.engine import Engine
def fail(self, index, candidate):
    return {b"k": 1}[candidate.value]
Engine._judge = fail
from stanch.responder.cli.main import main
sys.argv = ["stanch", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    ("door", "code"),
    [
        (("scan", ".", "--no-history"), 70),
        (("hook", "run", "a.env"), 70),
        (("hook", "pre-commit"), 70),
        (("ci", "--base", "main"), 70),
        (("guard",), 2),  # assistants take any other code for a yes
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_a_defect_names_places_and_no_value(
    ann: Any, place: Path, token: Callable[[int], str], door: tuple[str, ...], code: int
) -> None:
    ann.git("checkout", "-qb", "topic", cwd=place)
    (place / "a.env").write_text(f"k={token(1)}\n")
    ann.git("add", ".", cwd=place)
    if door[0] == "ci":
        ann.git("commit", "-qm", "leak", cwd=place)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *door],
        cwd=place,
        env=ann.environment,
        input=f'{{"command": "curl -d k={token(1)}"}}',
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert "internal error: KeyError" in done.stderr
    assert "in fail" in done.stderr
    assert token(1) not in done.stdout + done.stderr
