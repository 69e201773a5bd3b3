"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stanch.scanner.model.allowlist import Allowlist

EXCLUDE = click.option(
    "--exclude",
    metavar="GLOB",
    multiple=True,
    help="Hide, and count, what is found where the path matches.",
)
PLUGIN = click.option(
    "--plugin",
    "plugins",
    metavar="NAME",
    multiple=True,
    help="Also run a plugin of detect-secrets: a class, `all`, file:///path or module:NAME.",
)


def excluded(globs: Sequence[str]) -> tuple[Allowlist, ...]:
    """What the command line hides."""
    return (Allowlist(reason="--exclude", paths=tuple(globs)),) if globs else ()
