"""Files of LibreOffice: paragraphs of texts, cells of tables, texts on slides."""

from __future__ import annotations

import re
from zipfile import ZipFile

from stanch.scanner.sources.content.document.opening import Opening
from stanch.scanner.sources.content.document.part import Collected, Read, parts

_PARTS = re.compile(r"content\.xml")
_PARAGRAPHS = frozenset(("p", "h"))
_SPACES = {"tab": "\t", "line-break": " ", "s": " "}
_LETTERS = 26
_MOST = 10_000_000  # how often a row or a column may say that it is repeated


def read(opened: ZipFile, opening: Opening) -> Read:
    """Everything that is said, by its place in a sheet, on a slide, or in the text."""
    return (yield from parts(opened, opening, _PARTS, lambda _: _Content()))


class _Content(Collected):
    def __init__(self) -> None:
        super().__init__()
        self._said: list[str] = []
        self._open = 0  # paragraphs around
        self._number = self._slide = 0
        self._sheet = ""
        self._tables = 0
        self._row = self._column = 0
        self._step = 1  # how many columns the cell stands for
        self._rows = 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Count rows, columns, slides and paragraphs."""
        if name == "table":
            self._tables += 1
            if self._tables == 1:
                self._sheet, self._row = attributes.get("name", "table"), 1
        elif name == "table-row":
            self._column, self._rows = 1, _repeated(attributes, "number-rows-repeated")
        elif name in {"table-cell", "covered-table-cell"}:
            self._step = _repeated(attributes, "number-columns-repeated")
        elif name == "page":
            self._slide += 1
        elif name in _PARAGRAPHS:
            self._open += 1
            self._number += 1
        elif name in _SPACES and self._open:
            self._said.append(_SPACES[name])
        self.attributes(self._place(), attributes)

    def end(self, name: str) -> None:
        """A paragraph, a cell or a row is complete."""
        if name in _PARAGRAPHS:
            self._open -= 1
            if not self._open:
                said, self._said = "".join(self._said), []
                self.say(self._place(), said, "\t" if self._tables else "\n")
        elif name in {"table-cell", "covered-table-cell"}:
            self._column += self._step
        elif name == "table-row":
            self._row += self._rows
            if self.ready:
                called, said, _ = self.ready[-1]
                self.ready[-1] = (called, said, "\n")
        elif name == "table":
            self._tables -= 1

    def text(self, said: str) -> None:
        """Text of a paragraph."""
        if self._open and self.joined(self._said, said):
            self.say(self._place(), "".join(self._said))
            self._said = []

    def _place(self) -> str:
        if self._tables:
            return f"{self._sheet.replace('!', '_')}!{_column(self._column)}{self._row}"
        return f"slide {self._slide}" if self._slide else f"paragraph {self._number}"


def _repeated(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "1")
    return min(int(said), _MOST) if said.isascii() and said.isdigit() and len(said) < 9 else 1  # noqa: PLR2004  # digits


def _column(number: int) -> str:
    letters = ""
    while number > 0:
        number, letter = divmod(number - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters
