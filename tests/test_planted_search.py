"""The search at the end of a run is itself tried: with a leak it must fail the run."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stanch.responder.lab.search import search

LEAKY_TEST = """
import secrets, sqlite3
def test_that_leaks_and_passes(plant, tmp_path):
    value = plant("the planted key", secrets.token_hex(20))
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.execute("CREATE TABLE t AS SELECT ? AS a", (value,))
    database.close()
"""
CLEAN_TEST = """
import secrets
def test_that_writes_only_where_it_may(plant, leaky, tmp_path):
    (tmp_path / "repository").mkdir()
    leaky(tmp_path / "repository")
    (tmp_path / "repository" / "env").write_text(plant("the planted key", secrets.token_hex(20)))
"""


def test_a_value_between_holes_is_found_and_the_holes_are_not_read(tmp_path: Path) -> None:
    value = secrets.token_hex(20).encode()
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(1 << 32)
        file.write(value)
        file.truncate(1 << 34)
    (tmp_path / "hole").touch()
    os.truncate(tmp_path / "hole", 1 << 34)
    result = search([tmp_path], {"planted": value})
    assert "raw" in {hit.form for hit in result.hits}
    assert result.size < 1 << 20


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
@pytest.mark.parametrize("leaks", [True, False], ids=["leak", "clean"])
def test_a_run_fails_exactly_when_a_planted_value_was_written(
    workers: tuple[str, ...],
    leaks: bool,  # noqa: FBT001  # a parameter of the case
    tmp_path: Path,
) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_inner.py").write_text(LEAKY_TEST if leaks else CLEAN_TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ("-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}", *workers)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert ("for 1 planted values: 0 found" in done.stdout) != leaks
    assert ("PLANTED VALUE WRITTEN: the planted key #0 (raw)" in done.stdout) == leaks
    assert done.returncode == (1 if leaks else 0)
