"""Workers without a broker: processes of this machine that take units until none is left.

Processes, not threads, since reading is work for a processor; and one that dies over a unit takes
nothing else with it. They are forked while the caller has no other thread.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import NoReturn, Self

from stanch.responder.domain.error import StanchError
from stanch.responder.fleet.hand import Hand
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

Opening = Callable[[str], AbstractContextManager[Hand]]
"""Opens what a worker needs, in its own process; given its name."""

_FAILED = 70
_NAP = 0.1  # seconds: somebody else has the last units, and may be lost over them
_GRACE = 10.0  # seconds to give back what is in hand


@dataclass(slots=True, kw_only=True)
class Crew:
    """So many processes for one fleet, while the context is open; who dies is replaced."""

    opening: Opening
    fleet: str
    size: int
    _pids: set[int] = field(default_factory=set)
    _done: int = 0
    deaths: int = 0

    def __enter__(self) -> Self:
        self.tend()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _GRACE
        while self._pids and time.monotonic() < until:
            self._reap()
            time.sleep(0.01)
        for pid in self._pids:  # hangs; its lease lapses
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    @property
    def pids(self) -> frozenset[int]:
        """Those that work."""
        return frozenset(self._pids)

    def tend(self) -> None:
        """Replace who has died. Called again and again by whoever waits for the fleet."""
        self._reap()
        while len(self._pids) + self._done < self.size:
            self._pids.add(_forked(self.opening, self.fleet))

    def _reap(self) -> None:
        for pid in tuple(self._pids):
            found, status = os.waitpid(pid, os.WNOHANG)
            if not found:
                continue
            self._pids.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == 0:
                self._done += 1  # saw that nothing is left
            elif code == _FAILED:
                raise CrewError
            else:
                self.deaths += 1
                log.warning("worker.died", pid=pid, code=code)


class CrewError(StanchError):
    """A worker could not work at all; it has said why."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "a worker of the fleet ended with an error",
            remedy="mend what it says above; the same command goes on where this one stopped",
        )


def _forked(opening: Opening, fleet: str) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    return pid or _live(opening, fleet, parent)


def _live(opening: Opening, fleet: str, parent: int) -> NoReturn:
    """Be a worker, and never return into what the parent was about to do."""
    code = _FAILED
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and tells
        signal.signal(signal.SIGTERM, _told)
        with ExitStack() as stack:
            _work(stack.enter_context(opening(f"crew-{os.getpid()}")), fleet, parent)
        code = 0
    except SystemExit:
        code = 0
    except StanchError as error:
        log.warning("worker.failed", why=str(error), help=error.remedy)
    except Exception as error:
        log.warning("worker.failed", exc_info=error)
    finally:
        os._exit(code)


def _work(hand: Hand, fleet: str, parent: int) -> None:
    while os.getppid() == parent:
        pause = hand.work(fleet)
        if pause is not None:
            time.sleep(pause.total_seconds())
        elif hand.idle(fleet):
            return
        else:
            time.sleep(_NAP)


def _told(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(0)
