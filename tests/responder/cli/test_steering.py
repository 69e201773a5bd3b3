"""Pausing, resuming and ending a run from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk


def test_a_run_is_paused_resumed_and_ended(case: Desk) -> None:
    paused = case.stanch("pause", "LK-1", "--as", "bob")
    assert paused.code == 0, paused.err
    assert "  stanch resume LK-1  " in paused.out

    resumed = case.stanch("resume", "LK-1", "--as", "bob")
    assert resumed.code == 0, resumed.err
    assert "Decision wanted" in resumed.out

    ended = case.stanch("cancel", "LK-1", "--as", "bob")
    assert ended.code == 0, ended.err
    assert "  stanch undo LK-1  " in ended.out
    assert "  stanch respond LK-1  " in ended.out


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_nothing_to_steer_is_a_plain_refusal(case: Desk, command: str) -> None:
    unknown = case.stanch(command, "LK-9")
    assert unknown.code == 2
    assert "no incident LK-9" in unknown.message
    case.stanch("cancel", "LK-1")
    over = case.stanch(command, "LK-1")
    assert over.code == 2
    assert over.remedy.startswith("`stanch")
