"""``stanch respond``: open incidents for what leaks, and run their runbooks."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from stanch.responder.bootstrap import House
from stanch.responder.cli.search import Search, Sweep, planned
from stanch.responder.cli.session import caller, house, known, watch, working
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.terminal.plan import plan_table
from stanch.scanner.api import (
    Scanner,
    configured_rules,
    load_fingerprint_key,
    place_of,
)

_LABEL = re.compile(r"LK-\w*\Z", re.IGNORECASE)  # a malformed one too: it is no file


@click.command("respond")
@click.argument("targets", metavar="TARGET|LK-n...", nargs=-1, required=True)
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
@click.option("--history/--no-history", default=None, help="As in `stanch scan`.")
@click.option("--plan", "dry", is_flag=True, help="Only show what would be done; open nothing.")
@click.option("--all", "every", is_flag=True, help="Open whatever is found without asking.")
def command(
    targets: tuple[str, ...],
    name: str | None,
    history: bool | None,  # noqa: FBT001  # click passes by name
    dry: bool,  # noqa: FBT001  # as above
    every: bool,  # noqa: FBT001  # as above
) -> None:
    """Scan each TARGET, open an incident for every credential, and run its runbook.

    With LK-n, take an incident up where it stopped: failed steps are tried again, an approval that
    expired is asked for again. Returns when everything is proven dead or waits for a person.

    What is found with high confidence is answered the moment it is seen: all that can be contained
    here, and up to 20 that do not exist or that only a person can revoke. About the rest you are
    asked once, or told how to go on where nobody can be asked.

    Exit codes: 0 nothing leaked, or all of it is dead or waits for an approval; 1 a run failed or
    left something uncovered, or no runbook exists; 2 usage or configuration; 3 something could not
    be scanned.
    """
    console = Console(highlight=False, soft_wrap=False)
    with house() as opened:
        # Every target is checked before the first is worked on: a slip of the pen in the last one
        # must not stop a response halfway.
        by = caller(opened.settings, name)
        wanted = [_target(opened, target, history) for target in targets]
        if dry:
            sys.exit(_plan(opened, wanted, console))
        with working(opened):
            fine, complete, unhandled = _respond(opened, wanted, by, console, every=every)
    for incident in unhandled:
        console.print(f"{label(incident)}: no runbook for this kind; revoke it by hand")
    sys.exit(1 if unhandled or not fine else 0 if complete else 3)


def _target(
    opened: House,
    target: str,
    history: bool | None,  # noqa: FBT001  # as given
) -> IncidentId | Search:
    if _LABEL.match(target) and not Path(target).exists():
        return known(opened, target)
    settings = opened.settings
    key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
    place = place_of(target)
    scanner = Scanner(key=key, rules=configured_rules(place))
    return Search(
        # What is no path is known by all of its name: an image by its registry and tag.
        root=(Path(target).resolve().name or os.fspath(place)) if Path(target).exists() else target,
        target=target,
        scan=scanner.scan_target(target, history=history),
    )


def _plan(opened: House, wanted: list[IncidentId | Search], console: Console) -> int:
    """The exact calls for everything that is found; the exit code."""
    complete, count = True, 0
    for each in wanted:
        plans, whole = planned(opened, each)
        complete = complete and whole
        for plan in plans:
            count += 1
            console.print(plan_table(plan), Text())
    if not count:
        console.print("nothing leaked" if complete else "nothing found, but incomplete")
        return 0 if complete else 3
    console.print("This was a plan: nothing was opened, called or changed.")
    return 1 if complete else 3


def _respond(
    opened: House,
    wanted: list[IncidentId | Search],
    by: Caller,
    console: Console,
    *,
    every: bool,
) -> tuple[bool, bool, list[IncidentId]]:
    """Whether no run failed, whether all was read, and for which incidents there is no runbook."""
    incidents: list[IncidentId] = []
    complete, left = True, False
    for each in wanted:
        if isinstance(each, Search):
            sweep = Sweep(opened, each, by, every=every)
            found, whole = sweep.run(), each.scan.summary.complete
            complete, left = complete and whole, left or bool(sweep.left)
        else:
            opened.responses.respond(each, by=by)
            found = [each]
        incidents.extend(i for i in found if i not in incidents)
    if not incidents and not left:
        console.print("nothing leaked" if complete else "nothing found, but incomplete")
    fine = watch(opened, incidents, console)
    return fine and not left, complete, [i for i in incidents if _unhandled(opened, i)]


def _unhandled(opened: House, incident: IncidentId) -> bool:
    with opened.store.snapshot() as tx:
        return not tx.runs.of(incident)
