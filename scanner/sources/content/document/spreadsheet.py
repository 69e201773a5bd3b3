"""Excel files: cells, a row on one line, so that a value stands beside its name."""

from __future__ import annotations

import posixpath
import re
from zipfile import ZipFile

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces, Text
from stanch.scanner.sources.content.document.paragraph import Paragraphs
from stanch.scanner.sources.content.document.part import Collected, Read, part, parts

_COMMENTS = re.compile(r"xl/(?:comments\d*|threadedComments/\w+)\.xml")
_STRINGS = "xl/sharedStrings.xml"
_BOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_HELD = 32 << 20  # characters of texts that cells share
_REPEATED = 40  # characters of one that is said wherever it is used, and not once
_LINES = str.maketrans("\r\n\t", "   ")


def read(opened: ZipFile, opening: Opening) -> Read:
    """Each cell as `Sheet!B7`, then the texts that no cell shows, and the comments."""
    names = set(opened.namelist())
    text = Text(opening)
    done = set()
    shared = _Strings()
    failed: list[tuple[str, DamagedError]] = []

    def attempt(name: str, events: Collected) -> Pieces:
        try:
            yield from part(opened, name, events, opening, text)
            done.add(name)
        except DamagedError as error:
            failed.append((name, error))

    if _STRINGS in names:
        yield from attempt(_STRINGS, shared)
    for sheet, name in _sheets(opened, opening, names):
        yield from attempt(name, _Cells(sheet, shared))
    yield from shared.rest(text)
    yield from text.done()
    for name, error in failed:
        why = f"damaged or unsupported: {error}"
        yield Gap(path=f"{opening.place.path}!{name}", why=why, incomplete=True)
    comments = yield from parts(opened, opening, _COMMENTS, lambda _: _comments())
    return frozenset(done) | comments


def _comments() -> Paragraphs:
    return Paragraphs(
        lambda number: f"comment {number}", ends=frozenset(("text",)), says=frozenset(("t",))
    )


def _sheets(opened: ZipFile, opening: Opening, names: set[str]) -> list[tuple[str, str]]:
    """Name and part of each sheet; those that the book does not name go by their file."""
    text = Text(opening)  # an index says nothing
    book, relations = _Named("sheet", "id", "name"), _Named("Relationship", "Id", "Target")
    for name, events in ((_BOOK, book), (_RELATIONS, relations)):
        if name in names:
            try:
                for _ in part(opened, name, events, opening, text):
                    pass
            except DamagedError:
                continue  # it is read as a file, and the sheets go by their files
    found = {
        posixpath.normpath(posixpath.join("/xl", relations.said[key])).lstrip("/"): called
        for key, called in book.said.items()
        if key in relations.said
    }
    every = sorted(name for name in names if re.fullmatch(r"xl/worksheets/[\w.-]+\.xml", name))
    return [(found.get(name, posixpath.basename(name)[:-4]), name) for name in every]


class _Named(Collected):
    """One attribute by another, of all elements with a name."""

    def __init__(self, element: str, key: str, value: str) -> None:
        super().__init__()
        self._of = (element, key, value)
        self.said: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        element, key, value = self._of
        if name == element and key in attributes and value in attributes:
            self.said[attributes[key]] = attributes[value]

    def end(self, name: str) -> None:
        """Nothing."""

    def text(self, said: str) -> None:
        """Nothing."""


class _Strings(Collected):
    """Texts that cells refer to by number; the runs of one are joined."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._used: set[int] = set()
        self._said: list[str] = []
        self._open = False
        self._held = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._open = name == "t"

    def end(self, name: str) -> None:
        if name == "si":
            whole = "".join(self._said)
            self._said = []
            self._held += len(whole)
            if self._held > _HELD:  # said where it stands, instead of in its cell
                self.say(f"shared text {len(self._texts) + 1}", whole)
                whole = ""
            self._texts.append(whole)
        self._open = False

    def text(self, said: str) -> None:
        if self._open and self.joined(self._said, said):
            self.say(f"shared text {len(self._texts) + 1}", "".join(self._said))
            self._said = []

    def of(self, number: str) -> str:
        """The text with that number; a long one only for the first cell that shows it."""
        at = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1  # noqa: PLR2004  # digits
        if not 0 <= at < len(self._texts):
            return ""
        if at in self._used and len(self._texts[at]) > _REPEATED:
            return ""
        self._used.add(at)
        return self._texts[at]

    def rest(self, text: Text) -> Pieces:
        """What no cell shows: it was there once."""
        for number, said in enumerate(self._texts):
            if said and number not in self._used:
                yield from text.add(f"shared text {number + 1}", said.encode("utf-8", "replace"))


class _Cells(Collected):
    """Cells with text; numbers are no credentials."""

    def __init__(self, sheet: str, shared: _Strings) -> None:
        super().__init__()
        self._sheet = sheet.replace("!", "_")
        self._shared = shared
        self._cell, self._kind = "", ""
        self._value: list[str] = []
        self._open = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._cell, self._kind = attributes.get("r", "?"), attributes.get("t", "n")
        elif name in {"v", "t", "f"}:
            self._open = name
        else:
            self.attributes(self._sheet, attributes)

    def end(self, name: str) -> None:
        if name == "row" and self.ready:
            called, said, _ = self.ready[-1]
            self.ready[-1] = (called, said, "\n")
        if name not in {"v", "f", "is"}:
            self._open = "" if name == "t" else self._open
            return
        said, self._value, self._open = "".join(self._value), [], ""
        if name == "v" and self._kind == "s":
            said = self._shared.of(said)
        elif name == "v" and self._kind != "str":
            return
        self.say(f"{self._sheet}!{self._cell}", said.translate(_LINES), "\t")

    def text(self, said: str) -> None:
        if self._open and self.joined(self._value, said):
            self.say(f"{self._sheet}!{self._cell}", "".join(self._value))
            self._value = []
