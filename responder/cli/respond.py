"""``stanch respond``: open incidents for what leaks, and run their runbooks."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from responder.bootstrap import House
from responder.cli.session import house, person, watch, working
from responder.domain.ids import IncidentId, label, parse_label
from responder.services.intake import News
from scanner.api import Confidence, Gap, Scanner, load_fingerprint_key

_LABEL = re.compile(r"LK-[0-9]+\Z", re.IGNORECASE)


@click.command("respond")
@click.argument("targets", metavar="TARGET|LK-n...", nargs=-1, required=True)
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
@click.option("--history/--no-history", default=None, help="As in `stanch scan`.")
def command(targets: tuple[str, ...], name: str | None, history: bool | None) -> None:  # noqa: FBT001  # click passes by name
    """Scan each TARGET, open an incident for every credential, and run its runbook.

    With LK-n, take an incident up where it stopped: failed steps are tried again, an approval that
    expired is asked for again. Returns when everything is proven dead or waits for a person.

    Exit codes: 0 nothing leaked, or all of it is dead or waits for an approval; 1 a run failed or
    no runbook exists; 2 usage or configuration; 3 something could not be scanned.
    """
    console = Console(highlight=False, soft_wrap=False)
    with house() as opened, working(opened):
        incidents: list[IncidentId] = []
        complete = True
        for target in targets:
            if _LABEL.match(target):
                incidents.append(parse_label(target))
                opened.responses.respond(incidents[-1], requester=person(name))
            else:
                found, whole = _scan(opened, Path(target), person(name), history)
                incidents.extend(i for i in found if i not in incidents)
                complete = complete and whole
        if not incidents:
            console.print("nothing leaked" if complete else "nothing found, but incomplete")
        fine = watch(opened, incidents, console)
        unhandled = [i for i in incidents if _unhandled(opened, i)]
    for incident in unhandled:
        console.print(f"{label(incident)}: no runbook for this kind; revoke it by hand")
    sys.exit(1 if unhandled or not fine else 0 if complete else 3)


def _scan(
    opened: House,
    target: Path,
    requester: str,
    history: bool | None,  # noqa: FBT001  # as given
) -> tuple[list[IncidentId], bool]:
    """Scan, and start each response the moment its credential is seen."""
    settings = opened.settings
    key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
    scan = Scanner(key=key).scan_path(target, history=history)
    root = target.resolve().name or os.fspath(target)
    seen: list[IncidentId] = []
    for result in scan:
        if isinstance(result, Gap):
            if result.incomplete:
                click.echo(f"incomplete: {result.path}: {result.why}", err=True)
            continue
        if result.finding.confidence.rank < Confidence.MEDIUM.rank:
            continue
        taken = opened.intake.take(
            result, root=root, actor=f"cli:{requester}", detected_at=datetime.now(UTC)
        )
        if taken.incident in seen:
            continue
        seen.append(taken.incident)
        if taken.news is not News.KNOWN or _unfinished(opened, taken.incident):
            opened.responses.respond(taken.incident, requester=requester)
    return seen, scan.summary.complete


def _unfinished(opened: House, incident: IncidentId) -> bool:
    with opened.store.transaction() as tx:
        found = tx.incidents.get(incident)
    return found is not None and not found.state.over


def _unhandled(opened: House, incident: IncidentId) -> bool:
    with opened.store.transaction() as tx:
        return not tx.runs.of(incident)
