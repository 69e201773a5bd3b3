"""Reads the text of PDF documents: run as a program, with documents on its standard input.

It knows no secrets and no rules, may open no file and connect to nothing, and ends when it needs
more memory or time than a document may take.
"""

from __future__ import annotations

import logging
import resource
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

_MEMORY = 512 << 20  # bytes of addresses
_SECONDS = 20  # of processor time for a document
_TEXT = 64 << 20  # bytes that a document may say
_FILES = 100
_NAME = 200  # characters
_LEAST = 6  # characters of what stands beside the pages
_HEADER = struct.Struct(">cHI")

Piece = tuple[bytes, str, bytes]


def main() -> None:
    """Answer each document with its pieces."""
    logging.disable()
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    asked, answer = sys.stdin.buffer, sys.stdout.buffer
    while len(head := asked.read(8)) == 8:  # noqa: PLR2004  # a length
        size = int.from_bytes(head, "big")
        data = asked.read(size)
        if len(data) < size:
            return
        soft = int(time.process_time()) + _SECONDS + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        for kind, name, content in pieces(data):
            _send(answer, kind, name, content)
        _send(answer, b"e", "", b"")


def _send(answer: IO[bytes], kind: bytes, name: str, content: bytes) -> None:
    called = name[:_NAME].encode("utf-8", "replace")
    answer.write(_HEADER.pack(kind, len(called), len(content)) + called + content)
    answer.flush()


def pieces(data: bytes) -> Iterator[Piece]:
    """Pages and what is beside them; what fails is said and the others are read."""
    left = _TEXT
    try:
        from pypdf import PdfReader  # noqa: PLC0415  # where it is missing, that is an answer

        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            yield b"s", "", b""
            return
        for kind, name, content in _all(reader):
            left -= len(content)
            if left < 0:
                yield b"f", "", b"it says more than %d MiB" % (_TEXT >> 20)
                return
            yield kind, name, content
    except ImportError:
        yield b"f", "", b"pypdf, which reads it, is not installed (pip install pypdf)"
    except MemoryError:
        yield b"f", "", b"it needs too much memory"
    except Exception as error:  # noqa: BLE001  # whatever a broken document does to its reader
        yield b"f", "", f"damaged or unsupported ({type(error).__name__})".encode()


def _all(reader: Any) -> Iterator[Piece]:
    for number, page in enumerate(reader.pages, 1):
        name = f"page {number}"
        try:
            yield b"t", name, page.extract_text().encode("utf-8", "replace")
            yield from _beside(page, name)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # as above, and the next page may be whole
            why = f"{name} is damaged or unsupported ({type(error).__name__})"
            yield b"f", name, why.encode()
    said = [str(value) for value in (reader.metadata or {}).values()]
    yield from _texts("properties", said)
    fields = reader.get_fields() or {}
    named = (f"{name} = {field.get('/V')}" for name, field in fields.items() if field.get("/V"))
    yield from _texts("form", named)
    for number, (name, contents) in enumerate(reader.attachments.items()):
        if number == _FILES:
            yield b"f", "", b"it has more than %d attached files" % _FILES
            return
        for content in contents:
            yield b"a", name.replace("/", "_"), content


def _beside(page: Any, name: str) -> Iterator[Piece]:
    """Where links of a page lead, and what notes on it say."""
    for each in page.get("/Annots") or ():
        note = each.get_object()
        with suppress(AttributeError, KeyError):  # hardly any has both
            action = note["/A"].get_object() if "/A" in note else {}
            yield from _texts(f"{name} link", [str(action.get("/URI", ""))])
            yield from _texts(f"{name} note", [str(note.get("/Contents", ""))])


def _texts(name: str, texts: Any) -> Iterator[Piece]:
    said = "\n".join(each for each in texts if len(each) >= _LEAST)
    if said:
        yield b"t", name, said.encode("utf-8", "replace")


if __name__ == "__main__":
    main()
