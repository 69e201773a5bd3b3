"""``stanch respond``: open incidents for what leaks, and run their runbooks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from stanch.responder.bootstrap import House
from stanch.responder.cli.session import caller, house, watch, working
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label, parse_label
from stanch.responder.domain.run import RunState
from stanch.responder.services.intake import Report
from stanch.responder.services.triage import Triage
from stanch.scanner.api import (
    Confidence,
    Gap,
    Match,
    Scan,
    Scanner,
    configured_rules,
    load_fingerprint_key,
)

_LABEL = re.compile(r"LK-\w*\Z", re.IGNORECASE)  # a malformed one too: it is no file


@click.command("respond")
@click.argument("targets", metavar="TARGET|LK-n...", nargs=-1, required=True)
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
@click.option("--history/--no-history", default=None, help="As in `stanch scan`.")
def command(targets: tuple[str, ...], name: str | None, history: bool | None) -> None:  # noqa: FBT001  # click passes by name
    """Scan each TARGET, open an incident for every credential, and run its runbook.

    With LK-n, take an incident up where it stopped: failed steps are tried again, an approval that
    expired is asked for again. Returns when everything is proven dead or waits for a person.

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
        with working(opened):
            fine, complete, unhandled = _respond(opened, wanted, by, console)
    for incident in unhandled:
        console.print(f"{label(incident)}: no runbook for this kind; revoke it by hand")
    sys.exit(1 if unhandled or not fine else 0 if complete else 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A scan that is about to begin, and the name its findings are kept under."""

    root: str
    scan: Scan


def _target(
    opened: House,
    target: str,
    history: bool | None,  # noqa: FBT001  # as given
) -> IncidentId | Search:
    if _LABEL.match(target) and not Path(target).exists():
        number = parse_label(target)
        with opened.store.snapshot() as tx:
            if tx.incidents.get(number) is None:
                raise UsageError(
                    f"there is no incident {label(number)}", remedy="`stanch incidents` lists them"
                )
        return number
    settings = opened.settings
    key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
    path = Path(target)
    return Search(
        root=path.resolve().name or os.fspath(path),
        scan=Scanner(key=key, rules=configured_rules(path)).scan_path(path, history=history),
    )


def _respond(
    opened: House, wanted: list[IncidentId | Search], by: Caller, console: Console
) -> tuple[bool, bool, list[IncidentId]]:
    """Whether no run failed, whether all was read, and for which incidents there is no runbook."""
    incidents: list[IncidentId] = []
    complete = True
    for each in wanted:
        if isinstance(each, Search):
            found, whole = _search(opened, each, by)
            complete = complete and whole
        else:
            opened.responses.respond(each, by=by)
            found = [each]
        incidents.extend(i for i in found if i not in incidents)
    if not incidents:
        console.print("nothing leaked" if complete else "nothing found, but incomplete")
    fine = watch(opened, incidents, console)
    return fine, complete, [i for i in incidents if _unhandled(opened, i)]


def _search(opened: House, search: Search, by: Caller) -> tuple[list[IncidentId], bool]:
    """Scan, and start each response the moment its credential is seen."""
    seen: list[IncidentId] = []

    def receive(match: Match) -> IncidentId:
        now = datetime.now(UTC)
        taken = opened.intake.receive(Report(match=match, root=search.root, by=by, detected_at=now))
        if taken.incident not in seen:
            seen.append(taken.incident)
            # What a person paused, cancelled or takes back is left to them.
            if taken.run is None and _failed(opened, taken.incident):
                opened.responses.respond(taken.incident, by=by)
        return taken.incident

    Triage(store=opened.store, exists=opened.exists, receive=receive).take(_leaks(search.scan))
    return seen, search.scan.summary.complete


def _leaks(scan: Scan) -> Iterator[Match]:
    for result in scan:
        if isinstance(result, Gap):
            if result.incomplete:
                click.echo(f"incomplete: {result.path}: {result.why}", err=True)
        elif result.finding.confidence.rank >= Confidence.MEDIUM.rank:
            yield result


def _failed(opened: House, incident: IncidentId) -> bool:
    with opened.store.snapshot() as tx:
        runs = tx.runs.of(incident)
    return not runs or runs[-1].state in {RunState.FAILED, RunState.ABORTED}


def _unhandled(opened: House, incident: IncidentId) -> bool:
    with opened.store.snapshot() as tx:
        return not tx.runs.of(incident)
