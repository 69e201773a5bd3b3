"""What AI assistants keep on a machine: found where it is, named, and said where it is not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stanch.scanner.api import Scanner
from stanch.scanner.cli.baseline.command import command as baseline
from stanch.scanner.cli.scan import command
from stanch.scanner.sources.agents.assistant import ASSISTANTS
from tests.scanner.conftest import sorted_out

Token = Callable[[int], str]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def home(tmp_path: Path, token: Token) -> Path:
    """The home directory of somebody who uses four assistants."""
    made = tmp_path / "home"
    said = {"type": "user", "message": {"content": [{"text": f"use\n{token(1)}\n"}]}}
    write(made / ".claude/projects/-work/a.jsonl", f"{{}}\n{json.dumps(said)}\n")
    write(made / ".claude/.credentials.json", token(90))
    write(made / ".codex/sessions/2026/01/02/r.jsonl", json.dumps({"text": token(2)}) + "\n")
    write(made / ".codex/auth.json", token(91))
    server = {"gh": {"env": {"GITHUB_TOKEN": token(3)}}}
    write(made / ".cursor/mcp.json", json.dumps({"mcpServers": server}))
    state = made / ".config/Cursor/User/globalStorage/state.vscdb"
    state.parent.mkdir(parents=True)
    base = sqlite3.connect(state)
    base.execute("create table ItemTable (key text unique, value blob)")
    base.execute(
        "insert into ItemTable values ('prompts', ?)", (f'[{{"a": "{token(4)}"}}]'.encode(),)
    )
    base.commit()
    base.close()
    write(made / ".aider.chat.history.md", f"#### {token(5)}\n")
    write(made / "notes.txt", token(92))
    return made


def scanned(scanner: Scanner, home: Path, project: Path | None = None, **environ: str) -> Any:
    return sorted_out(iter(scanner.scan_agents(home, project, environ)))


def test_everything_they_keep_is_read_and_nothing_else(home: Path, scanner: Scanner) -> None:
    outcome = scanned(scanner, home)
    assert sorted((m.finding.path, m.finding.within, m.finding.provenance.words)
                  for m in outcome.matches) == [
        ("~/.aider.chat.history.md", "", "transcript of Aider"),
        ("~/.claude/projects/-work/a.jsonl", "message.content[0].text",
         "transcript of Claude Code"),
        ("~/.codex/sessions/2026/01/02/r.jsonl", "text", "transcript of Codex"),
        ("~/.config/Cursor/User/globalStorage/state.vscdb!ItemTable!row 1.value", "",
         "transcript of Cursor"),
        ("~/.cursor/mcp.json", "mcpServers.gh.env.GITHUB_TOKEN", "configuration of Cursor"),
    ]  # fmt: skip


def test_a_project_and_moved_folders_are_looked_at(
    tmp_path: Path, scanner: Scanner, token: Token
) -> None:
    write(tmp_path / "project/.mcp.json", json.dumps({"key": token(1)}))
    write(tmp_path / "moved/projects/a/b.jsonl", json.dumps({"x": token(2)}) + "\n")
    (tmp_path / "home").mkdir()
    moved = str(tmp_path / "moved")
    outcome = scanned(scanner, tmp_path / "home", tmp_path / "project", CLAUDE_CONFIG_DIR=moved)
    paths = [match.finding.path for match in outcome.matches]
    assert paths == [f"{moved}/projects/a/b.jsonl", ".mcp.json"]


def test_what_was_looked_for_is_said(tmp_path: Path, home: Path) -> None:
    said = CliRunner().invoke(command, [f"agents:{home}"]).stderr
    assert "Claude Code: 1 transcript; Codex: 1 transcript" in said
    (tmp_path / "nobody").mkdir()
    result = CliRunner().invoke(command, [f"agents:{tmp_path / 'nobody'}"])
    assert result.exit_code == 0
    assert f"assistants below {tmp_path / 'nobody'}: none" in result.stderr
    assert all(assistant.name in result.stderr for assistant in ASSISTANTS)


def test_a_finding_is_accepted_by_the_printed_command(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = "~/.cursor/mcp.json:1"
    arguments = ["add", place, "--target", f"agents:{home}", "--reason", "a sample"]
    assert CliRunner().invoke(baseline, arguments).exit_code == 0
    left = CliRunner().invoke(command, [f"agents:{home}"]).stdout
    assert "mcp.json" not in left
    assert ".aider" in left


def test_a_home_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [f"agents:{tmp_path / 'nobody'}"])
    assert result.exit_code != 0
    assert "no home directory" in str(result.exception)


def test_a_link_in_a_folder_is_not_followed(
    tmp_path: Path, home: Path, scanner: Scanner, token: Token
) -> None:
    write(tmp_path / "elsewhere.jsonl", token(6))
    (home / ".claude/projects/-work/b.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    assert len(scanned(scanner, home).matches) == 5


def test_every_place_is_below_a_home() -> None:
    for each in ASSISTANTS:
        for pattern in (*each.transcripts, *each.configurations, *each.project):
            assert not pattern.startswith(("/", "~"))
            assert ".." not in pattern.split("/")
