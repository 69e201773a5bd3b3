"""``stanch secrets migrate``: values from files and CI variables into the store, provably."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from stanch.responder.checkup.in_force import wording
from stanch.responder.cli.secrets.desk import (
    asker,
    place_options,
    reason_option,
    settings_for,
)
from stanch.responder.config import Settings
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.resolved_type import resolved
from stanch.responder.lifecycle.migration.listing import Listing, named_environment, read_listing
from stanch.responder.lifecycle.migration.plan import Verdict, Wishes
from stanch.responder.lifecycle.migration.result import EXIT, Result, State
from stanch.responder.lifecycle.migration.run import Migration, Orders
from stanch.responder.lifecycle.model.metadata import KEYS, PREFIX, read
from stanch.responder.lifecycle.model.reference import parse

Command = TypeVar("Command", bound=Callable[..., Any])
_ASKED = ("owner", "data-classification", "rotation-period", "last-rotated", "kind")


_FLAGS = (
    click.option("--apply", is_flag=True, help="Write, and prove what was written. Default: plan."),
    click.option("--guard", is_flag=True, help="Then put references into the files."),
    click.option("--check", metavar="CMD", help="The application's own, run with the values."),
    click.option("--no-check", is_flag=True, help="There is none: guard without one."),
    click.option(
        "--check-timeout",
        default=300.0,
        type=click.FloatRange(min=0.1),
        metavar="SECONDS",
        help="How long CMD may take. Default: 300.",
    ),
    click.option(
        "--slo",
        default=150.0,
        type=click.FloatRange(min=0.1),
        metavar="MILLISECONDS",
        help="What reads are to stay within at the 95th percentile. Default: 150.",
    ),
    click.option("--role", metavar="ARN", help="The application's AWS role: read back as it."),
    click.option("--map", "maps", multiple=True, metavar="NAME=REFERENCE", help="What NAME is."),
    click.option("--secret", multiple=True, metavar="NAME", help="It is one, whatever it seems."),
    click.option("--plain", multiple=True, metavar="NAME", help="It is none: it stays there."),
    click.option("--overwrite", multiple=True, metavar="NAME", help="Replace the store's value."),
    click.option("--again", is_flag=True, help="Repeat also what an earlier run has done."),
    click.option("--service", metavar="NAME", help="Default: [secrets] service."),
)


def _options(command: Command) -> Command:
    for name in reversed(_ASKED):
        text = f"Of all that are created: {KEYS[name].form}."
        command = click.option(f"--{name}", name.replace("-", "_"), metavar="TEXT", help=text)(
            command
        )
    for option in reversed(_FLAGS):
        command = option(command)
    return command


@click.command("migrate")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Default: table.",
)
@place_options
@reason_option
def command(files: tuple[Path, ...], reason: str, form: str, **given: object) -> None:
    """Move values of .env files and CI variables into the environment's store.

    Without --apply it is a plan, and nothing is written: what goes where, what lacks metadata, is
    no secret, is given twice, or has another value in the store. With --apply: write (only what is
    absent), validate (read back, compared by keyed fingerprint), consistency, check, performance.
    With --guard the files then hold references; no copy of them is kept. Killed at any point, the
    same command goes on where it stopped.

    FILE is an env file, or a .json list: `gh secret list --json name` (names only: GitHub gives no
    value back) or `glab api projects/ID/variables` (without the values of hidden variables).

    Exit codes: 0 done, 1 something is in the way or failed, 2 usage or configuration, 3 a store
    did not answer or a value could not be read.
    """
    wanted = msgspec.convert(given, _GIVEN, strict=False)
    orders = _orders(wanted)
    listings = tuple(read_listing(path) for path in files)
    settings = _settings(listings, wanted)
    wishes = _wishes(listings, wanted)
    # Imported late: it brings the record and the stores.
    from stanch.responder.cli.secrets.migration_house import House  # noqa: PLC0415

    with ExitStack() as opened:
        house = House(settings, opened, asker=asker(settings, reason or "migration"))
        migration = house.migration(
            listings,
            wishes,
            slo=orders.slo,
            role=wanted.role or "",
            check=wanted.check or "",
            patience=timedelta(seconds=wanted.check_timeout),
        )
        results = _shown(migration, orders, form)
    sys.exit(_code(results))


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    apply: bool
    guard: bool
    check: str | None
    no_check: bool
    check_timeout: float
    slo: float
    role: str | None
    maps: tuple[str, ...]
    secret: tuple[str, ...]
    plain: tuple[str, ...]
    overwrite: tuple[str, ...]
    again: bool
    service: str | None
    env: str | None
    tenant: str | None
    owner: str | None
    data_classification: str | None
    rotation_period: str | None
    last_rotated: str | None
    kind: str | None


_GIVEN = resolved(_Given)


def _orders(given: _Given) -> Orders:
    if given.guard and not (given.apply and (given.check or given.no_check)):
        raise UsageError(
            "--guard replaces files, so it needs --apply and the application's own check",
            remedy="say --apply --check CMD --guard, or --no-check where there is none",
        )
    slo = timedelta(milliseconds=given.slo)
    return Orders(apply=given.apply, guard=given.guard, again=given.again, slo=slo)


def _settings(listings: tuple[Listing, ...], given: _Given) -> Settings:
    """The place: as said, else as the files are named, else as configured."""
    named = {each for listing in listings if (each := named_environment(listing.path))}
    said = {settings_for(given.env, None).secrets.place().environment} if given.env else set()
    if len(named | said) > 1:
        raise UsageError(
            f"the files are of {' and '.join(sorted(named | said))}, and each has secrets of its "
            "own",
            remedy="migrate one environment after the other",
        )
    env = next(iter(named | said), None)
    settings = settings_for(str(env) if env else None, given.tenant)
    if given.service:
        section = msgspec.structs.replace(settings.secrets, service=given.service)
        section.place()
        settings = msgspec.structs.replace(settings, secrets=section)
    if not settings.secrets.service and not given.maps:
        raise UsageError(
            "whose secrets these are is not known",
            remedy=f"say --service NAME, or write service to {wording(settings, '[secrets]')}",
        )
    return settings


def _wishes(listings: tuple[Listing, ...], given: _Given) -> Wishes:
    names = {}
    for text in given.maps:
        name, equals, reference = text.partition("=")
        if not equals:
            raise UsageError(f"--map {name!r} names no reference", remedy="write NAME=secret://…")
        names[name] = parse(reference)
    known = {each.name for listing in listings for each in listing.variables}
    unknown = {*names, *given.secret, *given.plain, *given.overwrite} - known
    if unknown:
        raise UsageError(
            f"the files have no variable {min(unknown)}",
            remedy="name one as the plan shows it",
        )
    texts = {name: getattr(given, name.replace("-", "_")) for name in _ASKED}
    tags = {name: text for name, text in texts.items() if text is not None}
    wrong = read({PREFIX + name: text for name, text in tags.items()}).wrong
    if wrong:
        said = "; ".join(f"--{name} is not {form}" for name, form in wrong.items())
        raise UsageError(said, remedy="see `stanch secrets migrate --help`")
    return Wishes(
        names=names,
        secret=frozenset(given.secret),
        plain=frozenset(given.plain),
        replace=frozenset(given.overwrite),
        tags=tags,
    )


def _shown(migration: Migration, orders: Orders, form: str) -> list[Result]:
    show = _printer() if form == "table" else None
    results = []
    for result in migration.run(orders):
        results.append(result)
        if show is not None:
            show(result)
    if form == "json":
        phases = [each.words for each in results]
        click.echo(json.dumps({"migration": migration.id, "phases": phases}, indent=2))
    elif not orders.apply:
        click.echo(f"nothing was written: {_next(results[-1])}")
    return results


def _next(plan: Result) -> str:
    """What is to be done after a plan, so that it can be applied."""
    if any(line.said == Verdict.UNKNOWN for line in plan.lines):
        return "a store is silent: `stanch doctor`, then the same command"
    if plan.state is State.FAILED:
        return "mend what its lines name, then the same command"
    if plan.state is State.INCOMPLETE:
        return "the same command with --apply moves what could be read"
    return "the same command with --apply does it"


def _printer() -> Callable[[Result], None]:
    # Imported late: who wants JSON does not wait for it.
    from rich.console import Console  # noqa: PLC0415

    from stanch.responder.lifecycle.migration.table import shown  # noqa: PLC0415

    console = Console(highlight=False)
    return lambda result: console.print(shown(result))


def _code(results: Iterable[Result]) -> int:
    return max(EXIT[each.state] for each in results)
