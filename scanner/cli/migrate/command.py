"""``stanch migrate``: print allowlists for ``stanch.toml``, and say what has no place in them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import yaml

from stanch.scanner.cli.migrate import gitleaks, others
from stanch.scanner.cli.migrate.migrated import Migrated, toml
from stanch.scanner.model.error import UsageError
from stanch.scanner.reports.escape import escaped

_LARGEST = 1 << 20  # bytes
_READERS: dict[str, Callable[[str, str], Migrated]] = {
    "gitleaks": gitleaks.migrated,
    "git-secrets": others.git_secrets,
    "talisman": others.talisman,
    "ggshield": others.ggshield,
    "trufflehog": others.trufflehog,
}
_NAMES = {
    ".gitleaks.toml": "gitleaks",
    "gitleaks.toml": "gitleaks",
    ".betterleaks.toml": "gitleaks",
    ".gitallowed": "git-secrets",
    ".talismanrc": "talisman",
    ".gitguardian.yaml": "ggshield",
    ".gitguardian.yml": "ggshield",
}


@click.command("migrate")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "--from",
    "scanner",
    type=click.Choice(list(_READERS)),
    help="Whose file it is. Default: as its name says.",
)
def command(*, file: Path, scanner: str | None) -> None:
    """Turn what another scanner's FILE allows into [[scan.allowlists]] for stanch.toml.

    It reads .gitleaks.toml (also of betterleaks), .gitallowed, .talismanrc, .gitguardian.yaml and
    TruffleHog's list of excluded paths (--from trufflehog). Rules are for `stanch rules import`,
    .gitleaksignore and .secrets.baseline for `stanch baseline import`.

    Exit codes: 0 all of it was taken, 1 something has no place here and is named, 2 the file is
    none of these.
    """
    whose = scanner or _NAMES.get(file.name)
    if whose is None and not file.is_file():
        raise UsageError(f"there is no file {file}", remedy="name the file of another scanner")
    if whose is None:
        raise UsageError(
            f"{file.name} is no name that a scanner's file has",
            remedy=f"say whose it is: --from {'|'.join(_READERS)}",
        )
    found = _read(file, whose)
    click.echo(toml(found.allowlists), nl=False)
    for note in found.notes:
        click.echo(escaped(note), err=True)
    count = len(found.allowlists)
    noun = "allowlist" if count == 1 else "allowlists"
    click.echo(f"{count} {noun}: put {'it' if count == 1 else 'them'} into stanch.toml", err=True)
    sys.exit(1 if found.notes else 0)


def _read(file: Path, whose: str) -> Migrated:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}", remedy="name the file of another scanner"
        ) from error
    if len(data) > _LARGEST:
        raise UsageError(f"{file} is larger than {_LARGEST >> 20} MiB", remedy="name another file")
    try:
        return _READERS[whose](data.decode("utf-8-sig"), file.name)
    except (ValueError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise UsageError(
            f"{file} is no file of {whose}: {escaped(what)}", remedy="mend it, or name another"
        ) from error
