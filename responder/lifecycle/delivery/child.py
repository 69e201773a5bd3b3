"""A program of which we are the parent: signals go to it, its end is ours."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Never

from stanch.responder.domain.error import StanchError

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_LOOK = 0.5  # seconds between looks at the program that no signal asked for
_IGNORED_BY_PYTHON = frozenset({signal.SIGPIPE, signal.SIGXFSZ})
_FORWARDED = frozenset(
    {
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    }
)
_HEARD = _FORWARDED | {signal.SIGCHLD}
_DEFAULT = _HEARD | _IGNORED_BY_PYTHON
_FROM_A_PROCESS = 0  # SI_USER: a terminal's own signals reach the program without us


class NotRunnable(StanchError):  # noqa: N818  # what it is, named as people say it
    """The program is not there (127) or cannot be run (126), as shells say it."""

    then = "stanch secrets run --help"

    def __init__(self, name: str, error: OSError) -> None:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        super().__init__(
            f"{name} cannot be run: {error.strerror}",
            remedy="name a program on PATH, or by its path",
        )
        self.exit_code = _NOT_FOUND if missing else _NOT_EXECUTABLE


def become(command: Sequence[str], environment: Mapping[bytes, bytes]) -> Never:
    """Become the program. Raises NotRunnable."""
    for each in _IGNORED_BY_PYTHON:
        signal.signal(each, signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606  # that is the point
    except OSError as error:
        raise NotRunnable(command[0], error) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """When to look whether the program needs new values, and how it is given them.

    ``environment`` gives None while nothing has changed; ``grace``: seconds that the program gets
    to end before it is killed.
    """

    every: float
    grace: float
    environment: Callable[[], Mapping[bytes, bytes] | None]


def supervise(
    command: Sequence[str],
    environment: Mapping[bytes, bytes],
    *,
    renewal: Renewal | None = None,
) -> int:
    """Run the program to its end, and give its exit code, 128 + n when a signal ended it.

    Raises NotRunnable.

    Signals that other processes send us go on to it. With a ``renewal`` it is ended and started
    anew with another environment; what it ends with then does not count.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    try:
        return _Parent(command, renewal).run(environment)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_ours(number: signal.Signals) -> bool:
    """Whether we changed it; what was ignored before us (nohup) stays ignored for the program."""
    return number in _IGNORED_BY_PYTHON or signal.getsignal(number) is not signal.SIG_IGN


class _Parent:
    def __init__(self, command: Sequence[str], renewal: Renewal | None) -> None:
        self._command = command
        self._renewal = renewal
        self._child = 0
        self._ended: int | None = None

    def run(self, environment: Mapping[bytes, bytes]) -> int:
        while True:
            self._start(environment)
            fresh = self._watch()
            if fresh is None:
                return self._ended if self._ended is not None else 1
            self._stop()
            environment = fresh

    def _start(self, environment: Mapping[bytes, bytes]) -> None:
        self._ended = None
        try:
            self._child = os.posix_spawnp(
                self._command[0],
                list(self._command),
                dict(environment),
                setsigmask=(),  # what is blocked for us is not for it
                setsigdef=[each for each in sorted(_DEFAULT) if _is_ours(each)],
            )
        except OSError as error:
            raise NotRunnable(self._command[0], error) from None

    def _watch(self) -> Mapping[bytes, bytes] | None:
        """Until the program ends (None), or there is another environment for it."""
        renewal = self._renewal
        while self._ended is None:
            heard = self._hear(renewal.every if renewal else None)
            if not heard and renewal is not None and self._ended is None:
                fresh = renewal.environment()
                if fresh is not None:
                    return fresh
        return None

    def _hear(self, seconds: float | None) -> bool:
        """Handle one signal; False when none came in time.

        A thread that blocks no signals may swallow that the program has ended, so it is looked for
        now and then.
        """
        until = math.inf if seconds is None else time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            info = signal.sigtimedwait(_HEARD, min(left, _LOOK))
            if info is not None:
                break
            self._reap()
            if self._ended is not None:
                return True
            if left <= _LOOK:
                return False
        if info.si_signo == signal.SIGCHLD:
            self._reap()
        elif info.si_code <= _FROM_A_PROCESS:
            os.kill(self._child, info.si_signo)
        return True

    def _reap(self) -> None:
        while self._ended is None:
            found, status = os.waitpid(self._child, os.WNOHANG)
            if not found:
                return
            code = os.waitstatus_to_exitcode(status)
            self._ended = code if code >= 0 else 128 - code

    def _stop(self) -> None:
        assert self._renewal is not None  # noqa: S101  # only a renewal stops the program
        os.kill(self._child, signal.SIGTERM)
        until = time.monotonic() + self._renewal.grace
        while self._ended is None:
            if not self._hear(until - time.monotonic()) and time.monotonic() >= until:
                os.kill(self._child, signal.SIGKILL)
                until += self._renewal.grace
