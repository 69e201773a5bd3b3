"""``stanch secrets list``: the matrix."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from stanch.responder.cli.secrets.desk import room, settings_for, tell
from stanch.responder.config import Settings
from stanch.responder.domain.error import StoreError, Tampered, UsageError
from stanch.responder.lifecycle.backends.naming import reference_at
from stanch.responder.lifecycle.backends.setting import environment
from stanch.responder.lifecycle.inventory.consumer import Consumers, consumers, in_code, joined
from stanch.responder.lifecycle.inventory.discovery.item import Item
from stanch.responder.lifecycle.inventory.matrix import Gap, Matrix
from stanch.responder.lifecycle.inventory.report.delimited import delimited
from stanch.responder.lifecycle.inventory.report.document import document
from stanch.responder.lifecycle.inventory.row import Row, judge
from stanch.responder.lifecycle.model.answer import Listed
from stanch.responder.lifecycle.sdk.access_file import given, place_of
from stanch.responder.lifecycle.sdk.room import Found, Room

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
@click.option("--trail", is_flag=True, help="Also ask CloudTrail who read them (2 calls a second).")
@click.option(
    "--code",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path, exists=True),
    help="Also files below PATH that refer to them. May be repeated.",
)
@click.option(
    "--env",
    metavar="ENVIRONMENT",
    help="Only this one's stores and secrets, and entries that name none. Default: all.",
)
@click.option("--tenant", metavar="NAME", help="Default: [secrets] tenant.")
def command(  # click passes each option by name
    *,
    form: str,
    output: Path | None,
    trail: bool,
    code: tuple[Path, ...],
    env: str | None,
    tenant: str | None,
) -> None:
    """Show every secret of the stores, worst first; values are not opened.

    Who uses one is whoever the record says that it was given to in the last 90 days; a program
    that reads AWS itself is found with --trail, code with --code. html and xlsx have pictures: how
    many stand how, age against the limit, owners.

    Exit codes: 0 listed, 2 usage or configuration, 3 a store did not list all it has.
    """
    settings = settings_for(env, tenant)
    now = datetime.now(UTC)
    used, note = known_consumers(settings, now - _LOOKED_BACK)
    with room(settings) as opened:
        read, unread = _read_by(opened, now) if trail else (None, ())
        referring = _referring(code) if code else None
        found = opened.entries(environment(env) if env else None)
        matrix = gather(found, now=now, used=joined(used, read, referring), unread=unread)
    tell(note)
    _show(matrix, form, output, now)
    tell(tuple(f"{gap.source} did not list all it has: {gap.why}" for gap in matrix.gaps))
    sys.exit(0 if matrix.complete else _INCOMPLETE)


def known_consumers(
    settings: Settings, since: datetime
) -> tuple[Consumers | None, tuple[str, ...]]:
    """Who was given which secret, as the record says; None, and a note, when it says nothing."""
    # Imported late: it brings the store.
    from stanch.responder.bootstrap.record import recorded_consumers  # noqa: PLC0415

    note: tuple[str, ...] = ()
    used = None
    try:
        used = recorded_consumers(settings, since)
    except (StoreError, Tampered) as error:
        note = (f"who was given secrets by commands is not known: {error}",)
    file = place_of(settings.data)
    if file.exists():
        try:
            used = joined(used, consumers(each for each in given(file) if each.at >= since))
        except OSError as error:
            note += (
                f"who was given secrets by applications is not known: {file}: {error.strerror}",
            )
    return used, note


def _read_by(opened: Room, now: datetime) -> tuple[Consumers, tuple[Gap, ...]]:
    """Who read them, as CloudTrail says."""
    # Imported late: only who asks for it waits for AWS.
    from stanch.responder.lifecycle.backends.aws_consumer import readers  # noqa: PLC0415

    found, unseen = readers(opened.aws, now - _LOOKED_BACK, now)
    return found, tuple(Gap(source=each.place, why=each.why) for each in unseen)


def _referring(paths: tuple[Path, ...]) -> Consumers:
    """Files that name a secret as it is called here, or as AWS calls it."""
    from stanch.responder.lifecycle.inventory.discovery.code import referred  # noqa: PLC0415

    places = []
    for each in referred(paths, {}):
        if isinstance(each, Item):
            found = reference_at(each.kept_as)
            places += [(str(found), each.place)] if found else []
    return in_code(places)


def gather(
    found: Iterable[Found],
    *,
    now: datetime,
    used: Consumers | None = None,
    unread: tuple[Gap, ...] = (),
) -> Matrix:
    """The matrix of what the stores list, with who uses each."""
    rows: list[Row] = []
    gaps: list[Gap] = [*unread]
    for each in found:
        if isinstance(each.listed, Listed):
            name = str(each.listed.reference) if each.listed.reference else ""
            who = used.get(name, ()) if used is not None and name else None
            rows.append(judge(each.source, each.listed, now=now, consumers=who))
        else:
            said = filter(None, (each.listed.why, each.listed.remedy))
            gaps.append(Gap(source=each.source, why="; ".join(said)))
    return Matrix(rows=tuple(sorted(rows, key=lambda row: row.order)), gaps=tuple(gaps))


def _show(matrix: Matrix, form: str, output: Path | None, now: datetime) -> None:
    if form == "table" and output is None:
        _print(matrix)
        return
    data = _written(matrix, form, now)
    if output is not None:
        try:
            output.write_bytes(data)
        except OSError as error:
            raise UsageError(
                f"cannot write {output}: {error.strerror}",
                remedy="name a place that is there and that you may write to with --output",
            ) from error
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
    console.print(matrix.count + (f": {counts}" if counts else ""))
