"""``stanch baseline audit``: walk through open findings, one credential at a time."""

from __future__ import annotations

import sys
from shlex import quote
from typing import Any

import click

from stanch.scanner.api import Finding, Match, UsageError
from stanch.scanner.cli.baseline.target import (
    BaselineTarget,
    ask_for_union,
    baseline_target,
    signed,
    target_options,
    until,
)
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import what
from stanch.scanner.suppression.baseline import Baseline

_KEYS = {"r": "real", "f": "false alarm", "s": "skip", "q": "quit"}
_PLACES = 3


@click.command("audit")
@target_options
@click.option("--author", help="Default: git's user.email.")
@click.option("--sign", metavar="REF", help="Waiver key to sign with: file:/path or env:NAME.")
def command(*, author: str | None, sign: str | None, **where: Any) -> None:
    """Walk through open findings: r real, f false alarm (accept it), s skip, q quit.

    The value itself is never shown. Each answer is written at once.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    groups: dict[str, list[Match]] = {}
    for match in here.find().open:
        groups.setdefault(match.finding.fingerprint, []).append(match)
    if not groups:
        click.echo("nothing is open")
        return
    real: list[Finding] = []
    for number, group in enumerate(groups.values(), start=1):
        click.echo(f"\n{number}/{len(groups)}  {_told(group)}")
        answer = _asked()
        if answer == "q":
            break
        if answer == "r":
            real.append(group[0].finding)
        if answer == "f":
            _accept(here, group, author=author, sign=sign)
    for finding in real:
        click.echo(f"real: {escaped(finding.path)}:{finding.span.line} {finding.fingerprint}")
    if real:
        click.echo(f"next: stanch respond {quote(here.target)}")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "audit asks questions, and there is no terminal to answer at",
            remedy="run it in a terminal, or accept by place: "
            'stanch baseline add PATH:LINE --reason "WHY"',
        )
    while True:
        click.echo("  [r]eal  [f]alse alarm  [s]kip  [q]uit > ", nl=False)
        answer = click.getchar().lower()
        click.echo(_KEYS.get(answer, "?"))
        if answer in _KEYS:
            return answer


def _accept(
    here: BaselineTarget, group: list[Match], *, author: str | None, sign: str | None
) -> None:
    reason = click.prompt("  why is it acceptable", type=str)
    while True:
        try:
            expires = until(click.prompt("  until (2027-01-31, 90d, never)", type=str))
            break
        except UsageError as error:
            click.echo(f"  {error}: {error.remedy}")
    baseline = here.baseline() if here.path.exists() else Baseline.fresh()
    made = here.entries(baseline, group, reason=reason, author=author, expires=expires)
    baseline.replacing(signed(baseline, made, sign)).write(here.path)
    ask_for_union(here.path)


def _told(group: list[Match]) -> str:
    first = group[0].finding
    places = [f"{escaped(each.finding.path)}:{each.finding.span.line}" for each in group[:_PLACES]]
    more = f" +{len(group) - _PLACES} more" if len(group) > _PLACES else ""
    void = f"\n  {escaped(first.waiver.void or '')}" if first.waiver else ""
    sure = f"{first.confidence} confidence: {escaped(first.reason)}"
    shown = f"\n      {escaped(first.excerpt)}" if first.excerpt else ""
    return (
        f"{first.severity}  {escaped(what(first))}  {escaped(first.preview)}\n"
        f"  {', '.join(places)}{more}{shown}\n  {sure} · {first.rule}{void}"
    )
