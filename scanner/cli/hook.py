"""``stanch hook``: the same door as ``stanch-hook``, which reads its own arguments."""

from __future__ import annotations

import click

from stanch.scanner.hook.main import main
from stanch.scanner.hook.parser import known


class Forwarded(click.Command):
    """A command whose arguments another parser reads; ``foreign`` are the options it knows."""

    @property
    def foreign(self) -> frozenset[str]:
        """Every option of every subcommand."""
        return known()


@click.command(
    "hook",
    cls=Forwarded,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Stop credentials before they are committed, pushed or received.

    Exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 something could not be read.
    """
    main(arguments)
