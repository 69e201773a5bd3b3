"""What the responder's commands share: an open house, a worker for it, and a person's name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial

import click
from rich.console import Console

from stanch.responder.bootstrap import House, open_house
from stanch.responder.cli.account import account
from stanch.responder.cli.standby import Standby
from stanch.responder.config import Settings, load
from stanch.responder.domain.caller import Caller, at_command_line
from stanch.responder.domain.card import Card
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label, parse_label
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.telemetry import log
from stanch.responder.terminal.notifier import TerminalNotifier
from stanch.responder.terminal.panel import panel
from stanch.responder.worker.embedded import EmbeddedWorker

POLL_SECONDS = 0.1
DELIVERY_SECONDS = 10.0  # how long a command waits for the surfaces after the work is done


def caller(settings: Settings, name: str | None) -> Caller:
    """Who gives this command: the name given with ``--as``, and the account it comes from.

    The account is that of the process, not what the environment says. Raises UsageError when
    ``[people]`` ties the name or the account to somebody else.
    """
    return at_command_line(settings.persons(), name, account())


def known(opened: House, text: str) -> IncidentId:
    """The incident behind ``LK-n``. Raises UsageError when there is none."""
    number = parse_label(text)
    with opened.store.snapshot() as tx:
        if tx.incidents.get(number) is None:
            raise UsageError(
                f"there is no incident {label(number)}", remedy="`stanch incidents` lists them"
            )
    return number


@contextmanager
def house() -> Iterator[House]:
    """The house of the configuration in force; what was recorded is anchored at the end."""
    log.configure(level=os.environ.get("STANCH_LOG_LEVEL", "warning"), plain=True)
    with open_house(load(), notify=True) as opened:
        try:
            yield opened
        finally:
            opened.anchor()
            _tell_lost(opened)


@contextmanager
def working(opened: House) -> Iterator[None]:
    """A worker for the block: our own when nobody else could hear the doorbell."""
    if not _alone(opened):
        yield
        return
    with EmbeddedWorker(opened.celery):
        opened.sweep()
        yield


def _alone(opened: House) -> bool:
    return not opened.settings.team


def watch(
    opened: House,
    incidents: Iterable[IncidentId],
    console: Console,
    *,
    seen: Iterable[Card] = (),
) -> bool:
    """Show the cards until nothing more happens by itself; False when a run failed.

    Returns when every run is over or waits for a person, and the other surfaces were told. What a
    step is held up by (a throttled or unreachable service) goes to standard error. In a team the
    work is the workers'; when none takes it up for a while, it is done here. What is in ``seen``
    was shown already: only what changed since is.
    """
    ids = tuple(incidents)
    with ExitStack() as stack:
        look: Callable[[Iterable[IncidentId]], None] = _leave_alone
        if not _alone(opened):
            seconds = opened.settings.worker.standby_seconds
            look = stack.enter_context(Standby(opened, seconds=seconds)).look
        try:
            return _watch(opened, ids, TerminalNotifier(console, seen=seen), look)
        except KeyboardInterrupt:
            names = " ".join(map(label, ids))
            raise click.Abort(
                f"what was done stays done and is on the record: `stanch respond {names}` goes on, "
                f"`stanch incidents` shows where it stands"
            ) from None


def show(opened: House, incident: IncidentId) -> None:
    """Print the card, and bring the other surfaces up to date."""
    Console(highlight=False).print(panel(opened.cards.card(incident)))
    if _alone(opened):
        with EmbeddedWorker(opened.celery):
            _await_delivery(opened, (incident,))
    else:
        _await_delivery(opened, (incident,))


def _leave_alone(incidents: Iterable[IncidentId]) -> None:
    """Nobody has to stand by: the worker is our own."""


def _watch(
    opened: House,
    ids: tuple[IncidentId, ...],
    terminal: TerminalNotifier,
    look: Callable[[Iterable[IncidentId]], None],
) -> bool:
    swept = time.monotonic()
    said: set[str] = set()
    while True:
        _tell_lost(opened)
        # Asked first: what is printed then is at least as new as that nothing more happens.
        rests = all(_rests(opened, incident) for incident in ids)
        for incident in ids:
            terminal.publish(opened.cards.card(incident), None)
            for line in _held_up(opened, incident):
                if line not in said:
                    said.add(line)
                    click.echo(line, err=True)
        if rests:
            _await_delivery(opened, ids)
            return all(map(partial(_fine, opened), ids))
        if time.monotonic() - swept > opened.settings.worker.sweep_seconds:
            opened.sweep()
            swept = time.monotonic()
        look(ids)
        time.sleep(POLL_SECONDS)


_WAITS = RunState.WAITING_APPROVAL
_LONG = timedelta(minutes=1)  # a command that waits longer would only hold a terminal


def _fine(opened: House, incident: IncidentId) -> bool:
    """No run failed, and a run that is done left nothing uncovered."""
    return opened.cards.view(incident).status.fine


def _rests(opened: House, incident: IncidentId) -> bool:
    """Nothing more happens soon: over, a person's turn, or a wait whose end is known and far."""
    state = _state(opened, incident)
    if state is None or not state.works or state is _WAITS:
        return True
    with opened.store.snapshot() as tx:
        steps = tx.runs.steps(tx.runs.of(incident)[-1].id)
        now = tx.now()
    under_way = [step for step in steps if step.state in {StepState.RUNNING, StepState.WAITING}]
    return bool(under_way) and all(
        step.due_at is not None and step.due_at - now > _LONG and not step.tries
        for step in under_way
    )


def _state(opened: House, incident: IncidentId) -> RunState | None:
    with opened.store.snapshot() as tx:
        runs = tx.runs.of(incident)
    return runs[-1].state if runs else None


def _held_up(opened: House, incident: IncidentId) -> list[str]:
    """Why the newest run's steps must be tried again: one message each, with what to do."""
    with opened.store.snapshot() as tx:
        runs = tx.runs.of(incident)
        steps = tx.runs.steps(runs[-1].id) if runs else ()
    return [
        f"waiting: {label(incident)} {step.id}: {step.error}\n"
        f"  help: it is tried again; after a stop, `stanch respond {label(incident)}` goes on"
        for step in steps
        if step.state is StepState.WAITING and step.tries
    ]


def _await_delivery(opened: House, incidents: Iterable[IncidentId]) -> None:
    """Until the other surfaces show these incidents as they are.

    In a team the workers see to it; when none does for a while, it is done here.
    """
    ids = set(map(str, incidents))
    seconds = opened.settings.worker.standby_seconds
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < DELIVERY_SECONDS:
        with opened.store.snapshot() as tx:
            waiting = tx.outbox.waiting(tx.now(), Errand.NOTIFY)
        ours = ids & {message.subject for message in waiting}
        if not ours:
            return
        if _alone(opened):
            opened.sweep()
        elif opened.doorbell.silent or waited > seconds:
            for subject in ours:
                opened.deliver(IncidentId(int(subject)))
        time.sleep(POLL_SECONDS)


def _tell_lost(opened: House) -> None:
    """Say once that the broker is away, and that nothing is lost by it."""
    broker = opened.doorbell.lost()
    if broker is not None:
        click.echo(
            f"the broker {broker} does not answer, so no worker is called; what is to be done is "
            "kept in the store\n"
            "  help: start it, or correct [broker] url; `stanch doctor` looks at it",
            err=True,
        )
