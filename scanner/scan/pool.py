"""Runs a source through the engine, in this process or shared out to forked ones.

Children are forked, so they inherit the compiled engine and the key in memory and start in
milliseconds; each has a private pair of pipes (what ``multiprocessing`` offers for this takes
longer to load than a small scan takes). Forking is safe only while no other thread runs, so a
program with threads (a worker, a web server) scans in its own process. Results come in the order of
the listing, whoever found them.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, NoReturn, TypeVar

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.error import DefectError, defect
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.scan.batch import Answer, Tally, scan_batch, unpacked
from stanch.scanner.sources.source import Milestone, Source

Item = TypeVar("Item")

FEW = 8
"""Batches; below this a second process usually costs more than it brings."""
_HEADER = 8  # bytes that say how long a message is
_AHEAD = 16  # batches per process that may be given out before the oldest is done


def run(
    source: Source[Item],
    engine: Engine,
    *,
    parts: bool,
    processes: int,
    few: int = FEW,
    heard: Callable[[Any], None] | None = None,
) -> Iterator[Match | Gap | Tally | Milestone]:
    """Everything the source holds, scanned; the order does not depend on ``processes``.

    Below ``few`` batches it is not shared out. ``heard`` gets what the source says aside.
    """
    listing = source.batches()
    first = list(islice(listing, few))
    rest = chain(first, listing)
    single = threading.active_count() == 1 and sys.platform == "linux"
    if len(first) < few or processes == 1 or not single:
        answers = _alone(source, engine, rest, parts=parts)
    else:
        answers = _shared(source, engine, rest, parts=parts, processes=processes)
    for answer in answers:
        if not isinstance(answer, Answer):
            yield answer
            continue
        yield from map(unpacked, answer.found)
        yield from answer.gaps
        if heard is not None:
            for aside in answer.asides:
                heard(aside.about)
        yield answer.tally


def _alone(
    source: Source[Item],
    engine: Engine,
    listing: Iterator[tuple[Item, ...] | Gap | Milestone],
    *,
    parts: bool,
) -> Iterator[Answer | Gap | Milestone]:
    try:
        for batch in listing:
            if isinstance(batch, tuple):
                yield scan_batch(source, engine, batch, parts=parts)
            else:
                yield batch
    finally:
        source.close()


def _shared(
    source: Source[Item],
    engine: Engine,
    listing: Iterator[tuple[Item, ...] | Gap | Milestone],
    *,
    parts: bool,
    processes: int,
) -> Iterator[Answer | Gap | Milestone]:
    pool = WorkerPool(lambda: fork(source, engine, parts=parts), processes)
    numbered = enumerate(listing)
    given = taken = 0
    exhausted = False
    try:
        while not exhausted or taken < given:
            # The bound keeps memory flat when one child is slow: the others wait for it.
            while pool.idle and not exhausted and given - taken < _AHEAD * processes:
                number, batch = next(numbered, (given, None))
                exhausted = batch is None
                if batch is not None:
                    pool.give(number, batch)
                    given += 1
            while taken in pool.ready:
                yield pool.ready.pop(taken)
                taken += 1
            pool.collect()
    finally:
        pool.close()


class WorkerPool:
    """The children: who is idle, who is busy, and which answers wait for their turn."""

    def __init__(self, start: Callable[[], Child], size: int) -> None:
        self._start = start
        self.idle = [start() for _ in range(size)]
        self.busy: dict[int, Child] = {}  # by file descriptor of the pipe
        self.ready: dict[int, Answer | Gap | Milestone] = {}

    def give(self, number: int, batch: tuple[Item, ...] | Gap | Milestone) -> None:
        """Hand a batch to an idle child; a gap or milestone is its own answer."""
        if not isinstance(batch, tuple):
            self.ready[number] = batch
            return
        child = self.idle.pop()
        child.give(number, batch)
        self.busy[child.pipe.fileno()] = child

    def collect(self) -> None:
        """Wait for answers, if any are owed; a child that died is replaced."""
        if not self.busy:
            return
        for descriptor, _ in self._poll().poll():
            child = self.busy.pop(descriptor)
            answer = child.take()
            self.ready[child.number] = answer or child.lost()
            if answer is None:
                child.pipe.close()
                child.end()
                child = self._start()
            self.idle.append(child)

    def close(self) -> None:
        """End the children. Every pipe is closed first: a child inherits its elders' pipes."""
        children = (*self.idle, *self.busy.values())
        for child in children:
            child.pipe.close()
        for child in children:
            child.end()

    def _poll(self) -> select.poll:
        poll = select.poll()
        for descriptor in self.busy:
            poll.register(descriptor, select.POLLIN)
        return poll


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
            raise DefectError(answer.what)
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
        pipe.send(_Failure(what=defect(error)))
    finally:
        source.close()


class Wire(Record, frozen=False):
    """One end: what it hears and what it says, as open pipes."""

    read_fd: int
    write_fd: int

    def send(self, value: object) -> None:
        """Send a value; raises :class:`BrokenPipeError` when nobody listens any more."""
        body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        rest = memoryview(len(body).to_bytes(_HEADER, "big") + body)
        while rest:
            rest = rest[os.write(self.write_fd, rest) :]

    def receive(self) -> object:
        """The next value; raises :class:`EOFError` when the other end is closed."""
        size = int.from_bytes(self._exactly(_HEADER), "big")
        return pickle.loads(self._exactly(size))  # noqa: S301  # see the module

    def fileno(self) -> int:
        """What to wait at until something arrives."""
        return self.read_fd

    def close(self) -> None:
        """Hang up."""
        os.close(self.read_fd)
        os.close(self.write_fd)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.read_fd, size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def line() -> tuple[Wire, Wire]:
    """Both ends of a new line. Programs that are started do not inherit them."""
    there, here = os.pipe()
    back, far = os.pipe()
    return Wire(read_fd=back, write_fd=here), Wire(read_fd=there, write_fd=far)
