"""``stanch secrets discover``: secrets and references to them, wherever they are."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

import click

from stanch.responder.cli.secrets.desk import place_options, room, settings_for, tell
from stanch.responder.lifecycle.inventory.discovery.code import referred, variables
from stanch.responder.lifecycle.inventory.discovery.item import Found, Item, Unseen
from stanch.responder.lifecycle.inventory.report.delimited import plain
from stanch.responder.lifecycle.inventory.row import State, judge
from stanch.responder.lifecycle.model.answer import Listed
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.model.error import printable

STORES = ("secrets-manager", "parameter-store", "openbao")


@click.command("discover")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--no-aws", is_flag=True, help="Leave out AWS: its stores, IAM and KMS.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    help="What to write. Default: a table of what wants mending.",
)
@click.option("--all", "every", is_flag=True, help="In the table also what is as it should be.")
@place_options
def command(  # click passes each option by name
    *,
    paths: tuple[Path, ...],
    no_aws: bool,
    form: str,
    every: bool,
    env: str | None,
    tenant: str | None,
) -> None:
    """Look for secrets in stores, IAM and KMS, and below each PATH in env files and code.

    Values are not opened. Code is read for references in every usual form (secret://, op://,
    ref+…://, {{resolve:…}}, ARNs, sm://, berglas://, akv://, vault:…#…, ${{ secrets.X }} and
    others); one to a secret that a listed store does not have is shown.

    Exit codes: 0 nothing wants mending, 1 something does, 2 usage or configuration, 3 something
    could not be looked at.
    """
    settings = settings_for(env, tenant)
    with room(settings) as opened:
        names = _names(opened, has_bao=bool(settings.openbao.url), has_aws=not no_aws)
        found = list(_all(opened, names, paths, has_aws=not no_aws))
    items = sorted(each for each in found if isinstance(each, Item))
    unseen = [each for each in found if isinstance(each, Unseen)]
    _show(items, unseen, form, every=every)
    tell(tuple(f"{each.place} was not looked at: {each.why}" for each in unseen))
    sys.exit(3 if unseen else 1 if any(each.problem for each in items) else 0)


def _names(opened: Room, *, has_bao: bool, has_aws: bool) -> tuple[str, ...]:
    """The managed stores that can be asked."""
    wanted = {*STORES, *opened.names()} & set(STORES)
    left = {"openbao"} if has_bao else set[str]()
    return tuple(sorted(wanted & (left | ({*STORES[:2]} if has_aws else set[str]()))))


def _all(
    opened: Room, names: tuple[str, ...], paths: tuple[Path, ...], *, has_aws: bool
) -> Iterator[Item | Unseen]:
    now = datetime.now(UTC)
    known: dict[str, frozenset[str]] = {}
    for name in names:
        kept: set[str] = set()
        whole = True
        for each in opened.backend(name).entries():
            if not isinstance(each, Listed):
                whole = False
                yield Unseen(place=name, why=each.why)
                continue
            kept |= _called(each)
            yield _secret(name, each, now)
        if whole:  # otherwise nobody can say what it does not have
            known[name] = frozenset(kept)
    if has_aws:
        # Imported late: who only looks into code needs no AWS.
        from stanch.responder.lifecycle.backends.aws_key import (  # noqa: PLC0415
            access_keys,
            encryption_keys,
        )

        yield from access_keys(opened.aws, now)
        yield from encryption_keys(opened.aws)
    complete = len(known) == len(names)
    yield from referred(paths, known if complete else {})
    yield from variables(paths)


def _called(listed: Listed) -> set[str]:
    """What a reference may call this secret."""
    place = listed.described.place
    name = place.rpartition(":secret:")[2] if ":secret:" in place else place
    name = name.rpartition(":parameter/")[2].strip("/")
    called = {name, name.rpartition("-")[0], place.partition("/")[2]}
    return called | ({listed.reference.path} if listed.reference else set())


def _secret(store: str, listed: Listed, now: datetime) -> Item:
    row = judge(store, listed, now=now)
    return Item(
        kind=Found.SECRET,
        name=row.name,
        place=row.place,
        store=store,
        owner=row.known.get("owner", ""),
        problem="" if row.state is State.OK else f"{row.state}: {row.problem}",
    )


def _show(items: list[Item], unseen: list[Unseen], form: str, *, every: bool) -> None:
    if form == "json":
        body = {
            "complete": not unseen,
            "unseen": [asdict(each) for each in unseen],
            "items": [asdict(each) for each in items],
        }
        click.echo(json.dumps(body, indent=2))
    elif form == "csv":
        click.echo(_csv(items), nl=False)
    else:
        _print([each for each in items if every or each.problem], items)


def _csv(items: Iterable[Item]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [each.name for each in fields(Item)]
    writer.writerow(names)
    writer.writerows([plain(str(getattr(each, name))) for name in names] for each in items)
    return out.getvalue()


def _print(shown: list[Item], items: list[Item]) -> None:
    kind = ""
    for each in shown:
        if each.kind != kind:
            kind = each.kind
            click.echo(f"{kind}")
        owner = f" ({each.owner})" if each.owner else ""
        click.echo(f"  {printable(each.name + owner)}")
        click.echo(f"    {printable(each.place)}")
        if each.problem:
            click.echo(f"    {printable(each.problem)}")
    counts = Counter(each.kind for each in items)
    said = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    wrong = sum(bool(each.problem) for each in items)
    click.echo(f"{said or 'nothing found'}; {wrong} to be mended")
