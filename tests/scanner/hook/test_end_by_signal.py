"""A command that is asked to end leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_a_scan_that_is_asked_to_end_takes_its_folders_away(ann: Any, place: Path) -> None:
    folder = ann.home / "tmp"
    folder.mkdir()
    program = (
        "import os, signal, sys\n"
        "from stanch.scanner.sources.git.bounded_process import Git\n"
        "begin = Git.__init__\n"
        "def then(*args, **options):\n"
        "    begin(*args, **options)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "Git.__init__ = then\n"
        "from stanch.responder.cli.main import main\n"
        "sys.argv = ['stanch', 'scan', '.']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        env=ann.environment | {"TMPDIR": str(folder)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert list(folder.iterdir()) == []
