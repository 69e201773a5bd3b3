"""What is opened at once, what is asked about, and what a plan shows before the first act."""

from __future__ import annotations

import secrets
import subprocess
from typing import TYPE_CHECKING

from tests.scanner.sources.image_sample import Image, Layer, archive, oci_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.responder.cli.conftest import Desk


def unsure(folder: Path, count: int) -> None:
    lines = [f'service{n}_password = "{secrets.token_urlsafe(14)}"' for n in range(count)]
    (folder / "a.env").write_text("\n".join(lines), encoding="utf-8")


def test_what_is_unsure_is_asked_about_and_not_opened_one_by_one(desk: Desk) -> None:
    unsure(desk.folder, 12)
    done = desk.stanch("respond", "a.env")
    assert done.code == 1, done.err
    assert "12 more may be credentials" in done.out
    assert "`stanch respond --all a.env`" in done.out
    assert "no open incidents" in desk.stanch("incidents").out


def test_a_plan_shows_the_exact_calls_and_opens_nothing(desk: Desk, leak: Path) -> None:
    done = desk.stanch("respond", "--plan", leak.name)
    assert done.code == 1, done.err
    assert "iam:UpdateAccessKey" in done.out
    assert "nothing was opened, called or changed" in done.out
    assert "no open incidents" in desk.stanch("incidents").out


def test_what_leaks_in_an_image_is_answered_as_in_a_file(desk: Desk, leak: Path) -> None:
    said = subprocess.run(["git", "log", "-p"], cwd=leak, check=True, capture_output=True).stdout
    layers = [Layer(files={"app/a.patch": said}), Layer(files={"app/.wh.a.patch": b""})]
    archive(desk.folder / "app.tar", oci_files(Image(layers=layers)))
    done = desk.stanch("respond", "--plan", "image:app.tar")
    assert done.code == 1, done.err
    assert "iam:UpdateAccessKey" in done.out


def test_several_are_closed_in_one_go_and_what_cannot_be_is_said(desk: Desk) -> None:
    unsure(desk.folder, 2)
    desk.configure('[people.alice]\ngroups = ["security"]\n')
    desk.stanch("respond", "--all", "a.env", "--as", "alice")
    said = ("--as", "alice", "--reason", "made up for a test", "--disposition", "test-key")
    done = desk.stanch("close", "LK-1", "LK-2", "LK-9", *said)
    assert done.code == 2
    assert "LK-1: closed\nLK-2: closed" in done.out
    assert "there is no incident LK-9" in done.err
    assert "no open incidents" in desk.stanch("incidents").out
    assert "CLOSED, TEST KEY" in desk.stanch("incidents", "LK-1").out
