"""What a person reads on standard error fits the terminal, and ends in a command to type."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stanch.scanner.hook.arguments import parsed
from stanch.scanner.hook.main import run
from stanch.scanner.hook.parser import parser
from stanch.scanner.local.stream import say
from stanch.scanner.model.error import ScannerError, UsageError, ending

_COMMAND = (
    'stanch baseline add a/long/path/to/a/file.env:12 --reason "WHY" --expires 90d # one line'
)


def test_a_line_fits_the_terminal_and_a_command_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    say(
        "    - "
        + "word " * 40
        + "\nwhat is no secret: "
        + _COMMAND
        + f"\n        {_COMMAND}\nshort"
    )
    lines = capsys.readouterr().err.splitlines()
    prose = [line for line in lines if _COMMAND not in line]
    assert max(map(len, prose)) <= 80
    assert " ".join(" ".join(prose[:3]).split()) == "- " + "word " * 39 + "word"
    assert [line.strip() for line in lines if line not in prose] == [_COMMAND, _COMMAND]
    assert lines[-1] == "short"


def test_what_a_program_reads_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 40)
    assert capsys.readouterr().err == "word " * 40 + "\n"


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ("mend the syntax", "mend the syntax; next: `stanch scan --help`"),
        ("`stanch rules list` has them", "`stanch rules list` has them"),
        ("see what there is: git branch --all", "see what there is: git branch --all"),
    ],
)
def test_a_remedy_ends_in_a_command(remedy: str, said: str) -> None:
    assert ending(remedy, "stanch scan --help") == said


def test_the_help_of_every_hook_fits_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("", "run", "install", "uninstall", "pre-commit", "pre-receive"):
        with pytest.raises(SystemExit):
            parser().parse_args([*filter(None, [command]), "--help"])
    text = capsys.readouterr().out
    assert "HOOK" in text
    assert max(map(len, text.splitlines())) <= 80


def test_whose_settings_count_can_be_said_at_the_hook(tmp_path: Path) -> None:
    """``--trust none`` reads no settings of the tree, ``tree`` does."""
    (tmp_path / "stanch.toml").write_text("[scan]\nruls = []\n")
    (tmp_path / "a.txt").write_text("fine\n")
    environ = {"STANCH_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    words = ["run", "a.txt", "--trust"]
    assert run([*words, "none"], environ, tmp_path) == 0
    with pytest.raises(UsageError, match="unknown key `ruls`"):
        run([*words, "tree"], environ, tmp_path)
    with pytest.raises(ScannerError, match="invalid choice: 'all'"):
        parsed([*words, "all"])
