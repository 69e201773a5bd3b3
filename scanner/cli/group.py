"""A group of commands whose list shows each command's first sentence, whole."""

from __future__ import annotations

import click

_ENDLESS = 1_000  # a sentence goes on in the next line instead of ending in dots


class Group(click.Group):
    """As click's own, which cuts a sentence where the line ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, in the order of their names."""
        del ctx
        rows = [(name, each.get_short_help_str(_ENDLESS)) for name, each in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))
