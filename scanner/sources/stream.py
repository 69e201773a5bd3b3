"""Standard input or another stream of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.window import fragments


class Stream(Record):
    """One open stream, read once from where it stands and never closed here."""

    stream: BinaryIO
    name: str

    def batches(self) -> Iterator[tuple[BinaryIO, ...] | Gap]:
        """The one stream there is."""
        yield (self.stream,)

    def read(self, batch: tuple[BinaryIO, ...]) -> Iterator[Fragment | Gap]:
        """The stream's content; a failing read ends it as incomplete."""
        for stream in batch:
            try:
                yield from fragments(stream.read, InStream(path=self.name))
            except OSError as error:
                yield Gap(path=self.name, why=error.strerror or "unreadable", incomplete=True)

    def close(self) -> None:
        """Nothing: the stream belongs to the caller."""

    def label(self, item: BinaryIO) -> str:
        """The display name."""
        del item
        return self.name
