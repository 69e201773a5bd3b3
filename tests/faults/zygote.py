"""Forks workers that are ready to work: everything is imported once, in a process without threads.

Each line of JSON on standard input is an order: fork a worker, or wait for one. Each answer is one
line on standard output. Run by ``conftest.py`` as a program of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.run import RunState
from stanch.responder.engine import dispatch
from stanch.responder.services.closing import Closure
from stanch.responder.store.sql import SqlStore, SqlTransaction
from stanch.responder.store.sqlite import Sqlite

if TYPE_CHECKING:
    from stanch.responder.providers.aws.adapter.client import AwsClients

PATIENCE = 120.0  # seconds until a worker gives up on a run that does not get on
LONGEST_NAP = 0.1  # seconds


def trap(order: Mapping[str, Any]) -> Callable[[str, str], None]:
    """A trace that writes down every boundary, and at some of them dies or waits for ``go``."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    go = Path(order["home"]) / "go"
    lock = threading.Lock()
    at = {tuple(pair) for pair in order["at"]}

    def trace(step: str, boundary: str) -> None:
        with lock:
            os.write(log, f"{step} {boundary}\n".encode())
            if (step, boundary) in at and order["how"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        while (step, boundary) in at and not go.exists():
            time.sleep(0.005)

    return trace


def speak(order: Mapping[str, Any]) -> None:
    """What a person or the beat does, killed before its commit, after it, or before the scrubbing.

    ``verb`` is a method of the responses, or ``close``, or ``sweep``.
    """
    with open_house(load(environment=order["environment"])) as house:
        by = Caller(name="alice", door="cli")
        _kill_at_commit(order["when"])
        if order["verb"] == "sweep":
            house.sweep()
        elif order["verb"] == "close":
            owners = {action.id: "alice" for action in house.closing.actions(order["incident"])}
            house.closing.close(
                order["incident"],
                Closure(by=by, reason="it is over by now", owners=owners, unproven=True),
            )
        else:
            getattr(house.responses, order["verb"])(order["incident"], by=by)


def _kill_at_commit(when: str) -> None:
    real = SqlStore.transaction

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def transaction(store: SqlStore) -> Iterator[SqlTransaction]:
        with real(store) as tx:
            yield tx
            if when == "before":
                die()
        if when == "after":
            die()

    if when == "scrub":
        Sqlite.scrub = die  # type: ignore[method-assign, assignment]  # this process dies there
    else:
        SqlStore.transaction = transaction  # type: ignore[method-assign, assignment]  # the same


def work(order: Mapping[str, Any]) -> None:
    """What a worker does: sweep, advance what is due, until the run is over or asks a person."""
    dispatch.SETTLED = timedelta(0)
    settings = load(environment=order["environment"])
    with open_house(settings, trace=trap(order)) as house:
        # The lab settles at once, and CloudTrail's two lookups a second are not the subject here.
        aws = cast("AwsClients", house.provider("aws"))
        aws.settings = replace(aws.settings, pace=timedelta(0), settle=timedelta(0))
        # One step at a time, where it must be certain at which boundary a worker dies.
        hands = replace(house.executor, parallel=1) if order["at"] else house.executor
        end = time.monotonic() + PATIENCE
        while not _rests(house, RunId(order["run"])):
            if time.monotonic() > end:
                raise TimeoutError("the run does not get on")
            with house.store.transaction() as tx:
                due = tx.runs.due(tx.now())
            later = [hands.advance(run) for run in due]
            house.anchor()
            _nap(pause for pause in later if pause is not None)


def _nap(pauses: Iterable[timedelta]) -> None:
    pause = min(pauses, default=timedelta(seconds=LONGEST_NAP / 5))
    time.sleep(max(0.0, min(pause.total_seconds(), LONGEST_NAP)))


def _rests(house: House, run: RunId) -> bool:
    with house.store.transaction() as tx:
        found = tx.runs.get(run)
    return found is None or found.state.over or found.state is RunState.WAITING_APPROVAL


def fork(order: Mapping[str, Any]) -> int:
    """A child that works; its process id."""
    pid = os.fork()
    return pid or _child(order)


def _child(order: Mapping[str, Any]) -> NoReturn:
    status = 1
    try:
        os.environ.clear()
        os.environ.update(order["environment"])
        (speak if "verb" in order else work)(order)
        status = 0
    except BaseException:  # noqa: BLE001  # whatever happens, a child must not serve orders
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


def wait(pid: int) -> int | str:
    """``stopped``, or the exit status; negative: the signal that ended it."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    return "stopped" if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve orders until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = wait(order["wait"]) if "wait" in order else fork(order)
        print(json.dumps(answer), flush=True)  # noqa: T201  # the protocol


if __name__ == "__main__":
    main()
