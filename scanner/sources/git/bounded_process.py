"""A git that runs within bounds: of memory, of processor time, and of how long it may be silent.

What git reads was written by others. A few kilobytes can make it unpack gigabytes or walk for ever,
and whatever it opens may turn out to be a named pipe.
"""

from __future__ import annotations

import contextlib
import io
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from stanch.scanner.sources.git.bounds import Bounds

_SOON = 1.0  # seconds: who is silent for so long is looked at
_BUFFER = 64 << 10  # bytes: as much as a pipe holds


class Git(subprocess.Popen[bytes]):
    """As :class:`subprocess.Popen` with a pipe for its output.

    ``hung`` and ``endless`` say that it was ended, and why.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        bounds: Bounds,
        stdin: IO[bytes] | int,
        stderr: IO[bytes],
        env: Mapping[str, str],
        cwd: Path,
    ) -> None:
        self.hung = self.endless = False
        self.bounds = bounds
        super().__init__(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=env,
            cwd=cwd,
            bufsize=0,
        )
        _limit(self.pid, bounds)
        assert isinstance(self.stdout, io.FileIO)  # noqa: S101  # a pipe without a buffer
        self.stdout = io.BufferedReader(_Patient(self, self.stdout), _BUFFER)

    def __exit__(self, *exception: object) -> None:
        for pipe in (self.stdin, self.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self.wait(self.bounds.patience)
        except subprocess.TimeoutExpired:
            self.end()
            self.wait()

    @property
    def failed(self) -> bool:
        """Whether it has ended otherwise than by having done its work; call it at its end."""
        return self.hung or self.endless or self.returncode != 0

    @property
    def objection(self) -> str | None:
        """By which of the bounds it was ended."""
        if self.hung:
            return "git waited in vain, as before a named pipe"
        if self.endless:
            return "more paths are listed than any real project has"
        if self.returncode == -signal.SIGXCPU:
            return f"git took more than {self.bounds.seconds} s of processor time"
        return None

    def end(self) -> None:
        """End a git that was waited for too long."""
        self.hung = True
        self.kill()

    def cut(self) -> None:
        """End a git that has said more than anybody wants to hear."""
        self.endless = True
        self.kill()


class _Patient(io.RawIOBase):
    """Its output; a silence that is too long ends it, and is the end of the output."""

    def __init__(self, git: Git, pipe: io.FileIO) -> None:
        super().__init__()
        self._git = git
        self._pipe = pipe
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._pipe.fileno()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        patience = self._git.bounds.patience
        soon = min(patience, _SOON)
        if not self._poll.poll(soon * 1000) and (
            _at_a_pipe(self._git.pid) or not self._poll.poll((patience - soon) * 1000)
        ):
            self._git.end()
            return 0
        return self._pipe.readinto(buffer) or 0

    def close(self) -> None:
        self._pipe.close()
        super().close()


def _at_a_pipe(process: int) -> bool:
    """Whether a process waits for the other end of a named pipe, as far as the system says."""
    try:
        return Path(f"/proc/{process}/wchan").read_text("ascii") == "wait_for_partner"
    except (OSError, UnicodeDecodeError):
        return False


def _limit(process: int, bounds: Bounds) -> None:
    try:
        import resource  # noqa: PLC0415  # not everywhere
    except ImportError:
        return
    limit = getattr(resource, "prlimit", None)
    if limit is None:  # the other bounds hold everywhere
        return
    for kind, most in ((resource.RLIMIT_DATA, bounds.data), (resource.RLIMIT_CPU, bounds.seconds)):
        _, hard = resource.getrlimit(kind)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # It may be done already, or a sandbox may forbid it: patience and git's own bound remain.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            limit(process, kind, (wanted, hard))
