"""Every kind of document that is opened: by its first bytes, or as a package by what is in a zip.

To add one: a file here with ``read``, a line in the list, and its first bytes in ``OPENED`` of
``text_or_binary`` when they are new.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from importlib import import_module
from typing import IO, TYPE_CHECKING

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.text_or_binary import is_compiled_python, is_mail

if TYPE_CHECKING:
    from zipfile import ZipFile

    from stanch.scanner.model.fragment import Fragment


class Kind(Record):
    """What it is called, how it begins, and the file here that reads it."""

    name: str
    begins: Callable[[bytes], bool]
    reader: str


def _magic(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


KINDS = (
    Kind(name="PDF", begins=_magic(b"%PDF-"), reader="pdf"),
    Kind(name="SQLite database", begins=_magic(b"SQLite format 3\0"), reader="sqlite"),
    Kind(name="SQLite log", begins=_magic(b"7\x7f\x06\x82", b"7\x7f\x06\x83"), reader="sqlite_log"),
    Kind(name="Java class", begins=_magic(b"\xca\xfe\xba\xbe"), reader="java_class"),
    Kind(name="Android code", begins=_magic(b"dex\n0"), reader="dex"),
    Kind(
        name="Android resources",
        begins=_magic(b"\2\0\x0c\0", b"\3\0\x08\0"),
        reader="android_resources",
    ),
    Kind(name="compiled Python", begins=is_compiled_python, reader="compiled_python"),
    Kind(name="mail", begins=is_mail, reader="mail"),
)

Package = Callable[["ZipFile", Opening], Generator["Fragment | Gap", None, frozenset[str]]]
"""Reads what it knows of a zip and returns the names of it; the others are ordinary members."""

#: Members that only such a zip has, and the file here that reads it.
_PACKAGES = (
    (("[Content_Types].xml", "word/document.xml"), "word"),
    (("[Content_Types].xml", "xl/workbook.xml"), "spreadsheet"),
    (("[Content_Types].xml", "ppt/presentation.xml"), "slides"),
    (("mimetype", "content.xml"), "open_document"),
    (("channels.json", "users.json"), "slack_export"),
)


def document(head: bytes) -> Kind | None:
    """The kind that content is which begins like this."""
    return next((kind for kind in KINDS if kind.begins(head)), None)


def opened(kind: Kind, file: IO[bytes], opening: Opening) -> Pieces:
    """What is in it; a gap for what cannot be read."""
    try:
        yield from import_module(f"{__package__}.{kind.reader}").read(file, opening)
    except DamagedError as error:
        why = f"{kind.name}: {error}; the rest is not read"
        yield Gap(path=opening.place.path, why=why, incomplete=True)


def package(names: Iterable[str]) -> Package | None:
    """What reads a zip with these members as a document; None for an ordinary one."""
    there = set(names)
    for members, reader in _PACKAGES:
        if there.issuperset(members):
            found: Package = import_module(f"{__package__}.{reader}").read
            return found
    return None
