"""The way to whoever scans for us: a fleet's planner and its workers, which the scanner knows not.

``stanch`` hands the way in when it is installed with what a fleet needs (`stanch[respond]`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from stanch.scanner.model.error import UsageError
from stanch.scanner.reports.report import Waiving
from stanch.scanner.scan.request import ScanRequest
from stanch.scanner.scan.waivers import baseline_path

if TYPE_CHECKING:
    from stanch.scanner.scan.stage import Scan

FLEET = click.option(
    "--fleet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Scan everything that a TOML file names, on any number of workers (docs/fleet.md).",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="With --fleet: processes of this machine that work on it. Default: one a processor; "
    "with a team's broker none, unless nobody else does.",
)
_OTHERS = {
    "staged": "--staged",
    "stream_name": "--stream-name",
    "targets": "a TARGET",
}
"""What a fleet has no use for, as it is typed."""


class Away(Protocol):
    """A scan that others do."""

    @property
    def scan(self) -> Scan:
        """What they bring, as it arrives."""

    def told(self) -> None:
        """Its report was written."""

    def targets(self) -> Iterable[tuple[str, str]]:
        """What was read by now: how each is called, and what it is as a target of its own."""


Door = Callable[[Path, ScanRequest, int | None], AbstractContextManager[Away]]


def the_file(fleet: Path, what: Mapping[str, Any], *, anomalies: bool) -> tuple[str]:
    """The one target of a fleet, when nothing is asked that does not go with it."""
    asked = [name for key, name in _OTHERS.items() if what[key]]
    asked += ["--anomalies"] if anomalies else []
    if asked:
        raise UsageError(
            f"{asked[0]} does not go with --fleet, whose file names what is scanned",
            remedy=f"leave it out: stanch scan --fleet {fleet}",
        )
    return (str(fleet),)


def waiving(fleet: Path, request: ScanRequest, away: Away) -> Waiving:
    """How a finding of a fleet is accepted: in the baseline that the fleet reads."""
    baseline = request.baseline or baseline_path(fleet.absolute().parent)
    many = tuple((name, _shown(target)) for name, target in away.targets())
    return Waiving(after=(), commits=True, many=many, baseline=_shown(str(baseline)))


def _shown(target: str) -> str:
    """A path as one types it here; anything else as it is."""
    here = f"{Path.cwd()}/"
    return target.removeprefix(here)


def elsewhere(
    fleet: Path, request: ScanRequest, workers: int | None
) -> AbstractContextManager[Away]:
    """The fleet, planned and under way."""
    door: Door | None = click.get_current_context().obj
    if door is None:
        raise UsageError(
            "--fleet needs what keeps the work of many (stanch[respond])",
            remedy="in the checkout run `make install`, or scan one target: stanch scan TARGET",
        )
    return door(fleet, request, workers)
