"""The texts in a Java class: its constant pool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.document.strings import numbered
from stanch.scanner.sources.content.window import BINARY

LARGEST = 16 << 20  # bytes: the format allows 65,535 texts of 64 KiB, and nobody has many
_FIRST_VERSION = 45
_POOL = 10  # where it begins
#: Bytes behind the tag, by tag; a long and a double take two numbers.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2}
_SIZES |= {17: 4, 18: 4, 19: 2, 20: 2}
_TWO = (5, 6)
_TEXT = 1
_NAME_AND_TYPE = 12
_NAMING = (7, 12, 16, 19, 20)  # a class, a member, a type, a module, a package
_TYPE = re.compile(rb"[\[(<][^\s=]*|L[\w$]+/[^\s=]*;", re.ASCII)


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its texts; other programs begin with the same four bytes."""
    data = file.read(LARGEST)
    if int.from_bytes(data[4:8], "big") < _FIRST_VERSION:
        yield Gap(path=opening.place.path, why=BINARY, incomplete=False)
        return
    yield from numbered(_pool(data), opening)


def _pool(data: bytes) -> Iterator[bytes]:
    """Every text in the pool that is no name of a class, a member or a type; those come empty."""
    count, at, number = int.from_bytes(data[8:10], "big"), _POOL, 1
    texts: dict[int, bytes] = {}
    names: set[int] = set()
    while number < count:
        tag = data[at] if at < len(data) else 0
        if tag == _TEXT:
            size = int.from_bytes(data[at + 1 : at + 3], "big")
            at += 3 + size
            texts[number] = data[at - size : at]
        elif tag in _SIZES:
            if tag in _NAMING:
                names.add(int.from_bytes(data[at + 1 : at + 3], "big"))
            if tag == _NAME_AND_TYPE:
                names.add(int.from_bytes(data[at + 3 : at + 5], "big"))
            at += 1 + _SIZES[tag]
            number += tag in _TWO
        else:
            raise DamagedError("its constants are broken")
        number += 1
    for index, text in texts.items():
        yield b"" if index in names or _TYPE.fullmatch(text) else text
