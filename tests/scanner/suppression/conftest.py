"""The program as a user calls it, in this process: starting it anew each time would take longer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.responder.cli.main import stanch as program
from stanch.scanner.api import ScannerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Stanch = Callable[..., Ran]


@pytest.fixture
def stanch(tmp_path: Path) -> Stanch:
    """Runs ``stanch`` in a folder; ``home`` names the installation, each with its own key."""

    def run(
        *arguments: str, cwd: Path, home: str = "home", feed: str = "", **variables: str
    ) -> Ran:
        environment = {"STANCH_HOME": str(tmp_path / home), **variables}
        with contextlib.chdir(cwd):
            done = CliRunner().invoke(program, arguments, input=feed, env=environment)
        if isinstance(done.exception, ScannerError):
            told = f"error: {done.exception}\n  help: {done.exception.remedy}\n"
            return Ran(code=done.exception.exit_code, out=done.stdout, err=done.stderr + told)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run
