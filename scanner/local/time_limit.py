"""Bounds the processor time of one piece of work, whatever it does.

A timer of the process interrupts Python code and regular expressions alike: no parser and no
pattern has to be trusted to end. Signals reach the main thread only, so that work in another one
has no limit.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

_AGAIN = 0.1  # seconds: what catches the first interruption meets the next one


class OverTimeError(BaseException):
    """The work took too long; no ``except Exception`` takes it for a mistake of its own."""


class _Timer:
    armed = False
    fired = False
    installed = False


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What the work gives; raises :class:`OverTimeError` when it takes more processor time."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    if not _Timer.installed:
        signal.signal(signal.SIGVTALRM, _fire)
        _Timer.installed = True
    try:
        try:
            _Timer.armed, _Timer.fired = True, False
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
            result = work()
        finally:
            _Timer.armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except OverTimeError:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # it may have come just before the line above
        raise
    if _Timer.fired:  # something has taken it for its own
        raise OverTimeError
    return result


@contextmanager
def paused() -> Iterator[None]:
    """What is done once and kept, such as compiling, is no part of the work."""
    if not _Timer.armed:
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, left or _AGAIN, _AGAIN)


def _fire(number: int, frame: FrameType | None) -> None:
    del number, frame
    if _Timer.armed:
        _Timer.fired = True
        raise OverTimeError
