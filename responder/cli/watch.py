"""``stanch watch``: reads what the configuration names, each from where it was left."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from types import FrameType

import click

from stanch.responder.bootstrap import House, Part, open_house
from stanch.responder.bootstrap.watching import HANDS, turns
from stanch.responder.checkup.in_force import wording
from stanch.responder.config import Settings, load
from stanch.responder.domain.error import UsageError
from stanch.responder.telemetry.bridge import bridge
from stanch.responder.terminal.text import visible
from stanch.responder.watch.look import Outcome
from stanch.responder.worker.embedded import EmbeddedWorker
from stanch.responder.worker.sweeper import Sweeper


@click.command("watch")
@click.option("--once", is_flag=True, help="Look once at all that is due, and end.")
@click.option(
    "--hands",
    type=click.IntRange(1, 32),
    default=HANDS,
    show_default=True,
    help="Sources that are read at a time.",
)
def command(*, once: bool, hands: int) -> None:
    """Read what [watch.NAME] of stanch.toml names, and answer what leaks there.

    Each source is read from where it was left, however this ended before. Webhooks come in at
    `stanch serve`; what they lost is found here. Any number of these may run for one store. With
    the broker memory:// responses are worked on here too. `stanch sources` shows how far all is.

    Exit codes: 0 stopped as told, or with --once all was read and nothing new was found; with
    --once 1 something new was found, 3 something could not be read; 2 usage or configuration.
    """
    bridge()
    settings = load()
    if not settings.watch:
        raise UsageError(
            "nothing is watched",
            remedy=f"docs/watching.md says how: write {wording(settings, '[watch.NAME]')}",
        )
    with ExitStack() as stack:
        house = stack.enter_context(open_house(settings, part=Part.WORKER, notify=True))
        if once:
            sys.exit(_once(house, settings))
        if settings.broker.url.startswith("memory:"):
            stack.enter_context(EmbeddedWorker(house.celery))
            stack.enter_context(Sweeper(house, seconds=settings.worker.sweep_seconds))
        stop = threading.Event()

        def leave(number: int, frame: FrameType | None) -> None:
            del number, frame
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        click.echo(f"watching {', '.join(settings.watch)}", err=True)
        turns(house).run(stop, hands=hands)


def _once(house: House, settings: Settings) -> int:
    new = 0

    def told(outcome: Outcome) -> None:
        nonlocal new
        new += outcome.new
        if outcome.source is not None and outcome.error:
            where = visible(outcome.source.subject)
            remedy = f"; {visible(outcome.source.remedy)}" if outcome.source.remedy else ""
            click.echo(f"not read: {where}: {visible(outcome.error)}{remedy}", err=True)

    with ExitStack() as stack:
        if settings.broker.url.startswith("memory:"):
            stack.enter_context(EmbeddedWorker(house.celery))
            house.sweep()
        whole = turns(house).once(told)
    house.anchor()
    listed = "`stanch incidents` lists what is open, " if new else ""
    click.echo(f"{new} new; {listed}`stanch sources` shows how far all is")
    return 1 if new else 0 if whole else 3
