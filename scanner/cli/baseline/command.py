"""``stanch baseline``: accept findings with a reason, look through them, keep the list honest."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from stanch.scanner.api import UsageError
from stanch.scanner.cli.baseline import audit, exchange
from stanch.scanner.cli.baseline.place import chosen, in_worktree
from stanch.scanner.cli.baseline.target import (
    ask_for_union,
    baseline_target,
    reason_options,
    signed,
    target_options,
    today,
    until,
)
from stanch.scanner.cli.group import Group
from stanch.scanner.model.record import replace
from stanch.scanner.reports.escape import escaped
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.entry import Entry, Line
from stanch.scanner.suppression.signature import WaiverSigner
from stanch.scanner.suppression.suppressor import expired


@click.group("baseline", cls=Group)
def command() -> None:
    """Keep .stanch-baseline: the findings that this repository accepts, and why.

    The file is committed with the code. It recognises a credential wherever it is moved, on every
    clone and without a key, and holds nothing from which it could be read.

    Exit codes: 0 done or clean, 1 `check` found something to mend, 2 usage or configuration,
    3 incomplete: something could not be read.
    """


@command.command("create")
@target_options
@reason_options
def create(
    *, reason: str, expires: str, author: str | None, sign: str | None, **where: Any
) -> None:
    """Make the file, and accept everything that is found now.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    if here.path.exists():
        raise UsageError(
            f"{here.path} is there already",
            remedy="use `stanch baseline add --all` to accept what is new",
        )
    found = here.find()
    baseline = Baseline.fresh()
    made = here.entries(baseline, found.open, reason=reason, author=author, expires=until(expires))
    baseline.adding(signed(baseline, made, sign)).write(here.path)
    click.echo(f"{here.path}: {_counted(len(made), 'credential')} accepted")
    if ask_for_union(here.path):
        click.echo(".gitattributes: branches' entries will be joined; commit both files")
    _end(complete=found.complete)


@command.command("add")
@click.argument("names", nargs=-1, metavar="[PATH:LINE | FINGERPRINT]...")
@click.option("--all", "everything", is_flag=True, help="Accept whatever is open.")
@click.option("--within", metavar="GLOB", help="Only where the path matches, e.g. 'tests/*'.")
@target_options
@reason_options
def add(  # noqa: PLR0913  # one argument for each option
    *,
    names: tuple[str, ...],
    everything: bool,
    within: str | None,
    reason: str,
    expires: str,
    author: str | None,
    sign: str | None,
    **where: Any,
) -> None:
    """Accept findings by place or fingerprint, as reports print them, or --all that are open.

    A place is PATH:LINE, of another branch COMMIT:PATH:LINE. Of a fingerprint the first eight
    digits are enough. Where places of the working tree are named, no history is read.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    if bool(names) == everything:
        raise UsageError(
            "nothing is named",
            remedy="name places (PATH:LINE) or fingerprints as `stanch scan` prints them, or --all",
        )
    here = baseline_target(**where)
    baseline = here.baseline() if here.path.exists() else Baseline.fresh()
    if names and here.history is None and all(map(in_worktree, names)):
        here = replace(here, history=False)
    found = here.find()
    wanted = found.open if everything else chosen(names, (*found.open, *found.accepted))
    made = here.entries(
        baseline, wanted, reason=reason, author=author, expires=until(expires), within=within
    )
    if not made:
        click.echo("nothing to add: no finding is open" + (f" within {within}" if within else ""))
        _end(complete=found.complete)
    baseline.replacing(signed(baseline, made, sign)).write(here.path)
    ask_for_union(here.path)
    _tell_replaced(baseline, made)
    click.echo(f"{here.path}: {_counted(len(made), 'credential')} accepted")
    _end(complete=found.complete)


def _tell_replaced(before: Baseline, made: Iterable[Entry]) -> None:
    reasons = {each.id: each.reason for each in before.lines}
    for each in made:
        if reasons.get(each.id, each.reason) != each.reason:
            click.echo(f"{each.id[:12]} had another reason, which is replaced: {reasons[each.id]}")


@command.command("list")
@target_options
def show(**where: Any) -> None:
    """Show what is accepted.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    baseline = baseline_target(**where).baseline()
    for each in baseline.lines:
        click.echo(_told(each))
    click.echo(_counted(len(baseline.lines), "entry", "entries"), err=True)


@command.command("check")
@click.option("--waiver-key", metavar="BASE64", envvar="STANCH_WAIVER_KEY", help="See `scan`.")
@target_options
def check(*, waiver_key: str | None, **where: Any) -> None:
    """Report entries that hide nothing any more, have expired, or are not signed.

    Exit codes: 0 all are in order, 1 some are not, 2 usage or configuration, 3 incomplete.
    """
    here = replace(baseline_target(**where), waiver_key=waiver_key)
    baseline = here.baseline()
    found = here.find()
    problems = [
        (each, f"expired on {each.expires}") for each in baseline.lines if expired(each, today())
    ]
    problems += [(each, "hides nothing") for each in here.stale(found, baseline)]
    void = {each.finding.waiver for each in found.open if each.finding.waiver is not None}
    for each, why in problems:
        click.echo(f"{why}: {_told(each)}")
    for waiver in sorted(void, key=lambda each: (each.entry or "", each.void or "")):
        click.echo(f"does not count: {(waiver.entry or 'marker')[:12]}: {waiver.void}")
    if len(baseline.recipes) > 1:
        click.echo("two baselines are joined in the file: each finding costs one hash more")
    if problems or void:
        sys.exit(1)
    _end(complete=found.complete)


@command.command("prune")
@target_options
def prune(**where: Any) -> None:
    """Remove entries that hide nothing any more or have expired.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    baseline = here.baseline()
    found = here.find()
    if not found.complete or not here.whole:
        raise UsageError(
            "not everything was read, so no entry can be called stale",
            remedy="mend what is reported above as incomplete; leave out --target and --no-history",
        )
    stale = {each.id for each in here.stale(found, baseline)}
    kept = baseline.keeping(lambda each: each.id not in stale and not expired(each, today()))
    for each in baseline.lines:
        if each not in kept.lines:
            click.echo(f"removed: {_told(each)}")
    kept.write(here.path)


@command.command("sign")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Sign every entry.")
@click.option("--key", required=True, metavar="REF", help="file:/path or env:NAME.")
@target_options
def sign_entries(*, ids: tuple[str, ...], everything: bool, key: str, **where: Any) -> None:
    """Sign entries by the ID (or its beginning) that `list` shows, after you have read them.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    baseline = here.baseline()
    picked = [each for each in baseline.lines if everything or each.id.startswith(ids or ("-",))]
    if not picked:
        raise UsageError("no entry is named", remedy="give ids as `list` shows them, or --all")
    baseline.replacing(signed(baseline, picked, key)).write(here.path)
    click.echo(f"{_counted(len(picked), 'entry', 'entries')} signed")


@command.command("key")
@click.argument("reference", metavar="REF")
def key(reference: str) -> None:
    """Print the public half of a waiver key; file:/path is made when it is not there.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    form, _, where = reference.partition(":")
    if form == "file" and where and not Path(where).exists():
        signer = WaiverSigner.create(Path(where))
    else:
        signer = WaiverSigner.load(reference)
    click.echo(signer.public)


command.add_command(audit.command)
command.add_command(exchange.import_)
command.add_command(exchange.export)


def _told(line: Line) -> str:
    until_when = f"until {line.expires}" if line.expires else "for ever"
    what = line.rule if isinstance(line, Entry) else f"{line.detector} (detect-secrets)"
    mark = ", signed" if line.signature else ""
    scope = f" within {line.within}" if isinstance(line, Entry) and line.within else ""
    return escaped(
        f"{line.id[:12]} {what} {line.path}{scope}: {line.reason} "
        f"({line.author} on {line.added}, {until_when}{mark})"
    )


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _end(*, complete: bool) -> None:
    sys.exit(0 if complete else 3)
