"""XML as a stream of events, without document types: nothing is declared, so nothing expands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol
from xml.parsers import expat  # entities and document types are refused below

from stanch.scanner.sources.content.document.opening import DamagedError, Readable

_BLOCK = 1 << 16
_DEEPEST = 1_000
_TAG = 8 << 20  # bytes: a longer one would have to be held whole


class Events(Protocol):
    """What happens in a document; names have no prefix."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """It ends."""

    def text(self, said: str) -> None:
        """Text within the element that is open."""


def parsed(file: Readable, events: Events, take: Callable[[int], None]) -> Iterator[None]:
    """Feeds the events, and stops after each block so that what they made can be taken.

    ``take`` accounts for what is read.
    """
    parser = _parser(events)
    read = 0
    try:
        while block := file.read(_BLOCK):
            take(len(block))
            read += len(block)
            parser.Parse(block, False)
            if read - parser.CurrentByteIndex > _TAG:
                raise DamagedError(f"a tag of more than {_TAG >> 20} MiB")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DamagedError("its XML is broken") from error
    yield


def _parser(events: Events) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise DamagedError(f"nested deeper than {_DEEPEST} elements")
        events.start(_bare(name), {_bare(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        events.end(_bare(name))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = events.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refused
    return parser


def _refused(*_: object) -> None:
    raise DamagedError("it declares a document type")


def _bare(name: str) -> str:
    return name.rpartition(" ")[2]
