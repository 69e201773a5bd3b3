"""The printed command accepts a finding of another folder as it was printed."""

from __future__ import annotations

import shlex
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.responder.cli.main import stanch
from stanch.scanner.detectors.proof.token_generator import generate


def test_a_finding_of_another_folder_is_accepted_with_the_printed_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r 3").mkdir()
    (tmp_path / "r 3" / "k.py").write_text(
        f'db_password = "{generate("{base62:24}", 5).decode()}"\n'
    )
    scanned = CliRunner().invoke(stanch, ["scan", "r 3"])
    assert scanned.exit_code == 1
    (line,) = [each for each in scanned.stderr.splitlines() if each.startswith("what is no secret")]
    command = shlex.split(line.partition(": ")[2])
    assert command[0] == "stanch"
    html = CliRunner().invoke(stanch, ["scan", "r 3", "--report", "html=r.html"])
    assert html.exit_code == 1
    reported = unescape((tmp_path / "r.html").read_text())
    assert shlex.join(command[:5]) in reported, "the report's command names the folder too"
    assert "git -C 'r 3' add .stanch-baseline .gitattributes" in reported
    assert CliRunner().invoke(stanch, command[1:]).exit_code, "WHY is no reason"
    command[command.index("WHY")] = "of a drill"
    assert CliRunner().invoke(stanch, command[1:]).exit_code == 0
    assert CliRunner().invoke(stanch, ["scan", "r 3"]).exit_code == 0


def test_what_came_through_a_pipe_names_no_command_that_cannot_work() -> None:
    text = f'db_password = "{generate("{base62:24}", 5).decode()}"\n'
    scanned = CliRunner().invoke(stanch, ["scan", "-"], input=text)
    assert scanned.exit_code == 1
    assert "baseline add" not in scanned.output
    assert "what is no secret: save it, and accept it there: stanch scan FILE" in scanned.stderr
