"""``stanch secrets list``: the matrix."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from stanch.responder.cli.secrets.desk import place_options, room, settings_for, tell
from stanch.responder.config import Settings
from stanch.responder.domain.error import StoreError, Tampered, UsageError
from stanch.responder.lifecycle.backends.setting import environment
from stanch.responder.lifecycle.inventory.matrix import Gap, Matrix
from stanch.responder.lifecycle.inventory.report.delimited import delimited
from stanch.responder.lifecycle.inventory.report.document import document
from stanch.responder.lifecycle.inventory.row import Row, judge
from stanch.responder.lifecycle.model.answer import Listed
from stanch.responder.lifecycle.sdk.room import Found

_INCOMPLETE = 3
_LOOKED_BACK = timedelta(days=90)


@click.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "xlsx", "html"]),
    default="table",
    help="What to write. Default: a table.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it. Default: standard output.",
)
@place_options
def command(*, form: str, output: Path | None, env: str | None, tenant: str | None) -> None:
    """Show every secret of the stores, worst first; values are not opened.

    Who uses one is whoever the record says that it was given to in the last 90 days. A program
    that reads the store itself is not among them. html and xlsx have pictures: how many stand how,
    age against the limit, owners.

    Exit codes: 0 listed, 2 usage or configuration, 3 a store did not list all it has.
    """
    settings = settings_for(env, tenant)
    now = datetime.now(UTC)
    used, note = known_consumers(settings, now - _LOOKED_BACK)
    with room(settings) as opened:
        found = opened.entries(environment(env) if env else None)
        matrix = gather(found, now=now, used=used)
    tell(note)
    _show(matrix, form, output, now)
    tell(tuple(f"{gap.source} did not list all it has: {gap.why}" for gap in matrix.gaps))
    sys.exit(0 if matrix.complete else _INCOMPLETE)


def known_consumers(
    settings: Settings, since: datetime
) -> tuple[Mapping[str, tuple[str, ...]] | None, tuple[str, ...]]:
    """Who was given which secret, as the record says; None, and a note, when it says nothing."""
    # Imported late: it brings the store.
    from stanch.responder.bootstrap.record import recorded_consumers  # noqa: PLC0415

    try:
        used = recorded_consumers(settings, since)
    except (StoreError, Tampered) as error:
        return None, (f"who uses the secrets is not known: {error}",)
    return used, ()


def gather(
    found: Iterable[Found], *, now: datetime, used: Mapping[str, tuple[str, ...]] | None = None
) -> Matrix:
    """The matrix of what the stores list, with who uses each."""
    rows: list[Row] = []
    gaps: list[Gap] = []
    for each in found:
        if isinstance(each.listed, Listed):
            name = str(each.listed.reference) if each.listed.reference else ""
            who = used.get(name, ()) if used is not None and name else None
            rows.append(judge(each.source, each.listed, now=now, consumers=who))
        else:
            gaps.append(Gap(source=each.source, why=each.listed.why))
    return Matrix(rows=tuple(sorted(rows, key=lambda row: row.order)), gaps=tuple(gaps))


def _show(matrix: Matrix, form: str, output: Path | None, now: datetime) -> None:
    if form == "table" and output is None:
        _print(matrix)
        return
    data = _written(matrix, form, now)
    if output is not None:
        output.write_bytes(data)
    elif form == "xlsx" and sys.stdout.isatty():
        raise UsageError(
            "a terminal shows no workbook",
            remedy="stanch secrets list --format xlsx --output secrets.xlsx",
        )
    else:
        click.echo(data, nl=False)


def _written(matrix: Matrix, form: str, now: datetime) -> bytes:
    # Imported late: each form waits only for what it needs.
    if form == "xlsx":
        from stanch.responder.lifecycle.inventory.report.workbook import workbook  # noqa: PLC0415

        return workbook(matrix, now=now)
    if form == "html":
        from stanch.responder.lifecycle.inventory.report.page import page  # noqa: PLC0415

        return page(matrix, now=now).encode()
    if form == "table":
        raise UsageError(
            "a table is for a terminal",
            remedy="stanch secrets list --format html --output secrets.html",
        )
    return (delimited(matrix) if form == "csv" else f"{document(matrix)}\n").encode()


def _print(matrix: Matrix) -> None:
    # Imported late: who wants CSV does not wait for it.
    from rich.console import Console  # noqa: PLC0415

    from stanch.responder.lifecycle.inventory.report.table import table  # noqa: PLC0415

    console = Console(highlight=False)
    if matrix.rows:
        console.print(table(matrix))
    counts = ", ".join(f"{n} {state}" for state, n in sorted(matrix.counts().items()))
    console.print(f"{len(matrix.rows)} secrets" + (f": {counts}" if counts else ""))
