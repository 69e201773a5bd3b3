"""``stanch doctor``: is everything in place, and if not, what helps?"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stanch.responder.checkup import local, rule, server, team
from stanch.responder.checkup.run import runs
from stanch.responder.checkup.secrets import secrets
from stanch.responder.checkup.slack import slack
from stanch.responder.checkup.watch import watches
from stanch.responder.config import Settings, load
from stanch.responder.domain.check import Check, State, looked
from stanch.responder.domain.runbook import Runbook
from stanch.responder.providers.aws.permission import policy_document
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.permission import required
from stanch.responder.providers.provider import Provider
from stanch.responder.providers.registry import PROVIDERS
from stanch.responder.store.schema import HEAD
from stanch.responder.terminal.text import visible

_WIDTH = 80
_MARK = {
    State.GOOD: Text("ok", style="green"),
    State.WRONG: Text("WRONG", style="bold red"),
    State.UNKNOWN: Text("?", style="yellow"),
}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Leave AWS and Slack out.")
@click.option("--iam-policy", is_flag=True, help="Print the IAM policy that is needed, as JSON.")
def command(*, offline: bool, iam_policy: bool) -> None:
    """Check configuration, store, broker, keys, people, AWS and Slack. Changes nothing.

    Exit codes: 0 all is well, 2 something is wrong, 3 something could not be looked at.
    """
    settings = load()
    if iam_policy:
        document = policy_document(required(rule.load_enabled(settings).values(), AWS.specs()))
        click.echo(json.dumps(document, indent=2))
        return
    found = tuple(examine(settings, offline=offline))
    Console(width=_WIDTH).print(_table(found))
    states = {check.state for check in found}
    if State.WRONG in states:
        sys.exit(2)
    if State.UNKNOWN in states:
        sys.exit(3)


def examine(settings: Settings, *, offline: bool) -> Iterator[Check]:
    """Everything, in the order in which it is best mended."""
    yield from looked("programs", local.programs)
    yield from looked("configuration", lambda: local.configuration(settings))
    yield from looked("data", lambda: local.data(settings))
    whole = yield from _store(settings)
    yield from looked("broker", lambda: server.broker(settings))
    books: dict[str, Runbook] = {}

    def loading() -> Iterable[Check]:
        books.update(rule.load_enabled(settings))
        return rule.runbooks(books)

    yield from looked("runbooks", loading)
    if whole:
        yield from looked("runs", lambda: runs(settings, books))
        yield from looked("workers", lambda: team.workers(settings))
        yield from looked("watch", lambda: watches(settings))
    yield from looked("people", lambda: rule.people(settings, books))
    yield from looked("secrets", lambda: secrets(settings, offline=offline))
    if offline:
        return
    for provider in PROVIDERS:
        yield from looked(provider.name, partial(_provider, provider, settings, books))
    yield from looked("slack", lambda: slack(settings))


def _provider(
    provider: Provider[Any], settings: Settings, books: Mapping[str, Runbook]
) -> Iterable[Check]:
    permissions = required(books.values(), provider.specs())
    return provider.checks(settings.provider(provider.name), permissions)


def _store(settings: Settings) -> Generator[Check, None, bool]:
    """The store and the record in it; True when it has our schema and its keys are there."""
    whole: list[bool] = []

    def look() -> Iterator[Check]:
        stored = server.store(settings)
        yield from stored.checks
        ours = stored.schema == HEAD
        if ours:
            yield from server.rights(settings)
            yield from team.clock(settings)
        # The keys that protect a store: a missing one matters once something is stored.
        keys = tuple(local.keys(settings, used=ours))
        yield from keys
        whole.append(ours and all(check.state is State.GOOD for check in keys))
        if whole[0]:
            yield from server.record(settings)

    yield from looked("store", look)
    return True in whole


def _table(found: Iterable[Check]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("Area", no_wrap=True)
    table.add_column("What, and what helps", overflow="fold")
    for check in found:
        said = Text(visible(check.what))
        if check.remedy:
            said.append(f"\n→ {visible(check.remedy)}", style="bold")
        table.add_row(_MARK[check.state], check.area, said)
    return table
