"""``stanch worker``: a worker of a team set-up, or its beat."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stanch.responder.config import Settings, load
from stanch.responder.domain.error import UsageError
from stanch.scanner import __version__

if TYPE_CHECKING:
    from celery import Celery


@click.command("worker")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Worker processes; each works on one message at a time.",
)
@click.option(
    "--lane",
    type=click.Choice(["all", "contain", "rest", "fleet"]),
    default="all",
    show_default=True,
    help="Which messages to take: containment's, the rest, or all with containment first; those "
    "of fleets (docs/fleet.md) are in none of these.",
)
@click.option(
    "--beat", is_flag=True, help="Only ring the sweep; run one of these per installation."
)
@click.option(
    "--alive",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file to touch every few seconds, for a health check.",
)
def command(concurrency: int, *, lane: str, beat: bool, alive: Path | None) -> None:
    """Run a worker of a team set-up until it is told to stop (SIGTERM).

    It finishes what it is doing first; what it does not reach, another worker finds in the store.

    Exit codes: 0 stopped as told, 2 usage or configuration, 70 the pool ended by itself.
    """
    settings = load()
    _require_team(settings)
    # Imported late: the usage error above should not cost a second of vendors.
    from stanch.responder.telemetry.bridge import bridge  # noqa: PLC0415
    from stanch.responder.worker.app import LANES, make_app  # noqa: PLC0415
    from stanch.responder.worker.team import run_beat  # noqa: PLC0415

    bridge()
    app = make_app(
        settings.broker_url(), sweep_seconds=settings.worker.sweep_seconds, queues=LANES[lane]
    )
    try:
        if beat:
            run_beat(app, alive=alive)
            return
        if lane == "fleet":
            sys.exit(_read(settings, app, concurrency=concurrency, alive=alive))
        sys.exit(_work(settings, app, concurrency=concurrency, lane=lane, alive=alive))
    finally:
        app.close()


def _work(
    settings: Settings, app: Celery, *, concurrency: int, lane: str, alive: Path | None
) -> int:
    from stanch.responder.bootstrap import House, Part, open_house  # noqa: PLC0415
    from stanch.responder.worker.app import register  # noqa: PLC0415
    from stanch.responder.worker.household import Household  # noqa: PLC0415
    from stanch.responder.worker.keeper import Post  # noqa: PLC0415
    from stanch.responder.worker.stand_in import StandIn  # noqa: PLC0415
    from stanch.responder.worker.team import run_worker  # noqa: PLC0415

    def opening() -> House:
        contains = lane == "contain"
        return open_house(
            settings, part=Part.CONTAIN if contains else Part.WORKER, notify=not contains
        )

    # Opened and closed once before the fork: what is wrong is said now, not at the first leak.
    with opening():
        pass
    post = Post(
        opening=opening,
        hands=lambda house: StandIn(house, lane=lane, patience=settings.worker.standby_seconds),
        lane=lane,
        version=__version__,
        sweep_seconds=settings.worker.sweep_seconds,
    )
    household = Household(opening)
    return run_worker(app, household, register, concurrency=concurrency, post=post, alive=alive)


def _read(settings: Settings, app: Celery, *, concurrency: int, alive: Path | None) -> int:
    """The same for units of fleets: of the house they need the store and one key."""
    from stanch.responder.bootstrap.fleet_worker import (  # noqa: PLC0415
        FleetWatch,
        celery_hand,
        open_fleet_watch,
    )
    from stanch.responder.worker.app import register_fleet  # noqa: PLC0415
    from stanch.responder.worker.household import Household  # noqa: PLC0415
    from stanch.responder.worker.keeper import Post  # noqa: PLC0415
    from stanch.responder.worker.team import run_worker  # noqa: PLC0415

    def opening() -> AbstractContextManager[FleetWatch]:
        return open_fleet_watch(settings)

    with opening():  # as above
        pass
    post = Post(
        opening=opening,
        hands=lambda watch: watch,
        lane="fleet",
        version=__version__,
        sweep_seconds=settings.worker.sweep_seconds,
    )
    household = Household(celery_hand(settings))
    return run_worker(
        app, household, register_fleet, concurrency=concurrency, post=post, alive=alive
    )


def _require_team(settings: Settings) -> None:
    if not settings.team:
        raise UsageError(
            "a worker of its own needs a broker that other processes reach; this one is memory://",
            remedy="set [broker] url to redis://…, or run `stanch serve`, which works by itself",
        )
