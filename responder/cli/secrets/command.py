"""``stanch secrets``: the map of its commands; each is loaded when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "list": "Show every secret: owner, store, classification, rotation, age, consumers.",
        "get": "Give one secret's value to a file, a pipe, or, when asked, the terminal.",
        "run": "Run a program with the secrets that its environment refers to.",
        "discover": "Find secrets in stores, IAM, KMS, env files, and references in code.",
        "index": "Fingerprint known values, so that a leak is linked to its owner.",
        "migrate": "Move values from env files and CI variables into the store.",
        "refresh": "Make all processes forget a secret, and ask its store again.",
        "annotate": "Set a secret's metadata in its store.",
        "rotate": "Make another value current while the old one goes on for a while.",
        "revoke": "Give a secret to nobody any more, and end it where it counts.",
        "repair": "Finish or take back a rotation that broke off; retire what is old.",
    }
)


class Late(click.Group):
    """A group that imports a command when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its own module's ``command``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"stanch.responder.cli.secrets.{cmd_name}").command
        if not isinstance(found, click.Command):
            raise TypeError(f"stanch.responder.cli.secrets.{cmd_name}.command is no command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The map, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("secrets", cls=Late)
def command() -> None:
    """Know every secret, and give it only to whom it belongs.

    A secret is called secret://SERVICE/ENVIRONMENT/TOOL/NAME. Where it comes from depends on the
    environment, as [secrets] of stanch.toml says: see docs/lifecycle/README.md.
    """
