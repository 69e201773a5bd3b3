"""Forked processes that scan batches, and the private pipes to them.

Children are forked, so they inherit the compiled engine and the key in memory and start in
milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from stanch.scanner.batch import Answer, Tally, scan_batch
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.source import Source
from stanch.scanner.wire import Wire, line

Item = TypeVar("Item")


class _Failure(Record):
    """A defect in a child: its kind and place, without the values that were involved."""

    what: str


class Child(Record, frozen=False):
    """A forked process, the pipe to it, and the batch it works on with its number.

    It has one batch at a time: whoever sends does so to somebody who listens, so neither side can
    block the other on a full pipe.
    """

    pipe: Wire
    process: int
    label: Callable[[Any], str]
    number: int = -1
    batch: tuple[Any, ...] = ()

    def give(self, number: int, batch: tuple[Item, ...]) -> None:
        """Hand over a batch to an idle child."""
        self.number, self.batch = number, batch
        # When it has died meanwhile, `take` meets the end of the pipe.
        with contextlib.suppress(OSError):
            self.pipe.send(batch)

    def take(self) -> Answer | None:
        """The answer to the batch; None when the child has died over it."""
        try:
            answer = self.pipe.receive()
        except (EOFError, OSError):
            return None
        if isinstance(answer, _Failure):
            raise RuntimeError(f"a scanning process failed: {answer.what}")  # noqa: TRY004  # a bug
        if not isinstance(answer, Answer):
            raise TypeError(type(answer).__name__)
        return answer

    def lost(self) -> Answer:
        """What to report for a batch over which the child died."""
        why = "not scanned: the scanning process died"
        labels = map(self.label, self.batch)
        gaps = tuple(Gap(path=label, why=why, incomplete=True) for label in labels)
        return Answer(found=(), gaps=gaps, tally=Tally(contents=0, size=0))

    def end(self) -> None:
        """Wait for the process to go, after every pipe is closed."""
        os.waitpid(self.process, 0)


def fork(source: Source[Item], engine: Engine, *, parts: bool) -> Child:
    """A new child that waits for batches."""
    ours, theirs = line()
    process = os.fork()
    if not process:
        _live(ours, theirs, source, engine, parts=parts)
    theirs.close()
    return Child(pipe=ours, process=process, label=source.label)


def _live(
    ours: Wire, theirs: Wire, source: Source[Item], engine: Engine, *, parts: bool
) -> NoReturn:
    """Be the child, and never return into what the parent was about to do."""
    try:
        # A child that kept our end open would never learn that we have closed it.
        ours.close()
        _work(theirs, source, engine, parts=parts)
    finally:
        os._exit(0)


def _work(pipe: Wire, source: Source[Item], engine: Engine, *, parts: bool) -> None:
    """A child's life: batches in, answers out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    try:
        while True:
            batch = pipe.receive()
            assert isinstance(batch, tuple)  # noqa: S101  # see Child.give
            pipe.send(scan_batch(source, engine, batch, parts=parts))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent wants no more
    except Exception as error:  # noqa: BLE001  # reported there; a value must not be printed here
        pipe.send(_Failure(what=_place(error)))
    finally:
        source.close()


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return type(error).__name__ + where
