"""The demo as a user runs it: every claim holds, nothing is left, and a broken claim fails it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from stanch.responder.lab.proof import prove

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Case, Desk

HELD = {"scan": 1, "respond": 0, "own": 2, "approve": 0, "close": 0, "postmortem": 0, "verify": 0}


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_the_story_holds_every_claim_and_leaves_nothing_running(desk: Desk) -> None:
    earlier = desk.folder / "story"
    earlier.mkdir()
    (earlier / ".stanch-demo").touch()
    (earlier / "leftover").touch()
    process = desk.start("demo", "--yes", "--folder", "story")  # in a session of its own
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, out + err
    claims = [line for line in out.partition("What was proven")[2].splitlines() if line[:1] in "✓✗"]
    claims = [line for line in claims if line]
    assert len(claims) >= 14, out
    assert not [line for line in claims if not line.startswith("✓")]
    assert "Traceback" not in out + err
    print(out.splitlines()[-1])  # noqa: T201  # the figure, for who reads the log
    exports = [line for line in out.splitlines() if line.startswith("export ")]
    looked = dict(line.removeprefix("export ").split("=", 1) for line in exports)
    assert "CLOSED" in desk.stanch("incidents", "LK-1", **looked).out
    assert not (earlier / "leftover").exists(), "an earlier demo is replaced"
    for name in ("LK-1.md", "LK-1.html"):
        assert (earlier / "postmortems" / name).stat().st_size > 0
    assert in_session(process.pid) == []


def test_a_folder_that_is_no_earlier_demo_is_left_alone(desk: Desk) -> None:
    (desk.folder / "mine").mkdir()
    (desk.folder / "mine" / "thesis.txt").write_text("draft 7")
    done = desk.stanch("demo", "--yes", "--folder", "mine")
    assert (done.code, done.out) == (2, "")
    assert "not an earlier demo" in done.message
    assert "--folder" in done.remedy
    assert (desk.folder / "mine" / "thesis.txt").read_text() == "draft 7"


def test_claims_that_do_not_hold_are_shown_as_broken(waiting: Case, tmp_path: Path) -> None:
    """A key that is only contained, a record that says what the world does not."""
    shutil.copytree(waiting.folder / "home", tmp_path / "home")
    shutil.copy(waiting.folder / "home" / "stanch.toml", tmp_path)
    (tmp_path / "postmortems").mkdir()
    for name in ("LK-1.md", "LK-1.html"):
        (tmp_path / "postmortems" / name).write_text("written")
    held, broken = judged(waiting, tmp_path, HELD)
    assert not held
    assert "The leaked key is gone" in broken
    assert "Every act happened exactly once" in broken
    assert "Who asks cannot approve" not in broken
    held, broken = judged(waiting, tmp_path, {**HELD, "own": 0, "verify": 1, "scan": 0})
    assert "Who asks cannot approve" in broken
    assert "The record is whole and anchored" in broken
    assert "The scan found it in history" in broken


def judged(case: Case, folder: Path, codes: dict[str, int]) -> tuple[bool, str]:
    """What ``prove`` says, and the claims that it shows as broken."""
    shutil.rmtree(folder / "tampered", ignore_errors=True)
    shown = io.StringIO()
    held = prove(case.world, folder, codes, Console(file=shown, width=200), since=0)
    lines = shown.getvalue().splitlines()
    return held, "\n".join(line for line in lines if line.startswith("✗"))


def in_session(session: int) -> list[str]:
    """The command lines of all processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name in parentheses: state, parent, group, session.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found.append(stat.with_name("cmdline").read_text())
        except OSError:
            continue  # it ended while we looked
    return found
