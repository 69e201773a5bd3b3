"""The map of commands: it fits a terminal, every command answers, and says how it exits."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from stanch.responder.cli.main import COMMANDS, stanch

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk

_WIDTH = 80


def test_the_map_fits_80_columns_and_names_every_command() -> None:
    shown = CliRunner().invoke(stanch, ["--help"], terminal_width=_WIDTH)
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= _WIDTH
    assert "..." not in shown.output.partition("Find:")[2], "a summary is cut off"
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown.output
        assert entry.summary in shown.output
    assert "Exit codes: 0 clean" in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_where_the_map_says_and_answers_help(name: str) -> None:
    command = importlib.import_module(COMMANDS[name].module).command
    for path, leaf in leaves(command, (name,)):
        shown = CliRunner().invoke(stanch, [*path, "--help"], terminal_width=_WIDTH)
        assert shown.exit_code == 0, shown.output
        assert max(map(len, shown.output.splitlines())) <= _WIDTH, shown.output
        text = " ".join((leaf.help or "").split())
        assert "Exit codes: 0 " in text, f"`stanch {' '.join(path)}` does not say how it exits"


def leaves(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    assert command.help, path
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*path, name))


def test_the_real_command_shows_its_version_and_its_map(desk: Desk) -> None:
    version = desk.stanch("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("stanch, version ")
    assert "Respond:" in desk.stanch("--help").out
    assert not desk.home.exists(), "help must not create anything"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["respnd"], "No such command 'respnd'"),
        (["respond"], "Missing argument"),
        (["approve", "LK-1", "--rason", "x"], "Did you mean"),
        (["postmortem"], "Missing argument"),
    ],
)
def test_a_slip_of_the_pen_is_a_usage_error(desk: Desk, words: list[str], hint: str) -> None:
    done = desk.stanch(*words)
    assert (done.code, done.out) == (2, "")
    assert hint in done.err
    assert "Traceback" not in done.err
