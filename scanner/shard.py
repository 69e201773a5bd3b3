"""Runs a source through the engine, in this process or shared out to forked ones.

Forking is safe only while no other thread runs, so a program with threads (a worker, a web server)
scans in its own process. Results come in the order of the listing, whoever found them.
"""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from stanch.scanner.batch import Answer, Tally, scan_batch, unpacked
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.source import Milestone, Source

if TYPE_CHECKING:
    from stanch.scanner.child import Child

Item = TypeVar("Item")

_FEW = 8  # batches; below this a second process costs more than it brings
_AHEAD = 16  # batches per process that may be given out before the oldest is done


def run(
    source: Source[Item], engine: Engine, *, parts: bool, processes: int
) -> Iterator[Match | Gap | Tally | Milestone]:
    """Everything the source holds, scanned; the order does not depend on ``processes``."""
    listing = source.batches()
    first = list(islice(listing, _FEW))
    rest = chain(first, listing)
    single = threading.active_count() == 1 and sys.platform == "linux"
    if len(first) < _FEW or processes == 1 or not single:
        answers = _alone(source, engine, rest, parts=parts)
    else:
        answers = _shared(source, engine, rest, parts=parts, processes=processes)
    for answer in answers:
        if not isinstance(answer, Answer):
            yield answer
            continue
        yield from map(unpacked, answer.found)
        yield from answer.gaps
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
    from stanch.scanner.child import fork  # noqa: PLC0415  # small scans have no children

    crew = _Crew(lambda: fork(source, engine, parts=parts), processes)
    numbered = enumerate(listing)
    given = taken = 0
    exhausted = False
    try:
        while not exhausted or taken < given:
            # The bound keeps memory flat when one child is slow: the others wait for it.
            while crew.idle and not exhausted and given - taken < _AHEAD * processes:
                number, batch = next(numbered, (given, None))
                exhausted = batch is None
                if batch is not None:
                    crew.give(number, batch)
                    given += 1
            while taken in crew.ready:
                yield crew.ready.pop(taken)
                taken += 1
            crew.collect()
    finally:
        crew.dismiss()


class _Crew:
    """The children: who is idle, who is busy, and which answers wait for their turn."""

    def __init__(self, hire: Callable[[], Child], size: int) -> None:
        self._hire = hire
        self.idle = [hire() for _ in range(size)]
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
                child = self._hire()
            self.idle.append(child)

    def dismiss(self) -> None:
        """Send everybody home. Every pipe is closed first: a child inherits its elders' pipes."""
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
