"""Word files: paragraphs of the text, of headers, notes and comments; what was deleted, too."""

from __future__ import annotations

import re
from zipfile import ZipFile

from stanch.scanner.sources.content.document.opening import Opening
from stanch.scanner.sources.content.document.paragraph import Paragraphs
from stanch.scanner.sources.content.document.part import Read, parts

_PARTS = re.compile(r"word/(?P<name>document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_ENDS = frozenset(("p",))
_SAYS = frozenset(("t", "delText", "instrText", "delInstrText"))


def read(opened: ZipFile, opening: Opening) -> Read:
    """Paragraphs, numbered as they stand in the file."""
    return (yield from parts(opened, opening, _PARTS, _events))


def _events(name: str) -> Paragraphs:
    found = _PARTS.fullmatch(name)
    kind = found["name"] if found else name
    prefix = "" if kind == "document" else f"{kind} "
    return Paragraphs(lambda number: f"{prefix}paragraph {number}", ends=_ENDS, says=_SAYS)
