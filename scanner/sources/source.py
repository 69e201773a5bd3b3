"""What every source is: a cheap list of items, and a reader of their content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.hunk import Hunk

Item = TypeVar("Item")

BATCH = 64
"""Items in a batch: enough to amortise a trip through a pipe, few enough to share work evenly."""
_MANY = 16  # batches, after which there is enough work for larger ones


class Milestone(Record):
    """Says in the order of the results that a source's first ``done`` steps are complete.

    ``of`` is how many there are, 0 when that is not known. ``marks`` name what has been read whole,
    for a later scan that reads what is new; ``over`` is told whether all since the last milestone
    was read.
    """

    done: int
    of: int = 0
    marks: tuple[str, ...] = ()
    over: Callable[[bool], None] | None = None


class Aside(Record):
    """What a source tells whoever scans it, from the process in which it reads."""

    about: object


class Source(Protocol[Item]):
    """Bytes to scan. Listing and reading are apart so that several processes can share the reading.

    ``batches`` runs in the process that asked for the scan; ``read`` may run in any child forked
    from it, any number of times, and must not raise for what is wrong with one item.
    """

    def batches(self) -> Iterator[tuple[Item, ...] | Gap | Milestone]:
        """What there is to read, in a deterministic order, and what cannot even be listed."""

    def read(self, batch: tuple[Item, ...]) -> Iterator[Fragment | Hunk | Gap | Aside]:
        """The content of the items, in their order."""

    def close(self) -> None:
        """Release what reading has opened in this process."""

    def label(self, item: Item) -> str:
        """An item's path for a message."""


def batched(items: Iterable[Item | Gap], size: int = BATCH) -> Iterator[tuple[Item, ...] | Gap]:
    """Group items into batches, later ones twice as large; gaps pass as they come."""
    batch: list[Item] = []
    early = _MANY
    for item in items:
        if isinstance(item, Gap):
            yield item
            continue
        batch.append(item)
        if len(batch) == size:
            yield tuple(batch)
            batch = []
            early -= 1
            size = size if early else 2 * size
    if batch:
        yield tuple(batch)
