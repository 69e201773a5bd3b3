"""PowerPoint files: what slides, their notes and comments say."""

from __future__ import annotations

import re
from zipfile import ZipFile

from stanch.scanner.sources.content.document.opening import Opening
from stanch.scanner.sources.content.document.paragraph import Paragraphs
from stanch.scanner.sources.content.document.part import Read, parts

_PARTS = re.compile(
    r"ppt/(?P<kind>slides/slide|notesSlides/notesSlide|comments/\D*)(?P<number>\d+)\.xml"
)
_CALLED = {"slides/slide": "slide", "notesSlides/notesSlide": "notes"}
_ENDS = frozenset(("p", "text"))
_SAYS = frozenset(("t", "text"))


def read(opened: ZipFile, opening: Opening) -> Read:
    """Paragraphs, by the slide that they are on."""
    return (yield from parts(opened, opening, _PARTS, _events))


def _events(name: str) -> Paragraphs:
    found = _PARTS.fullmatch(name)
    kind, number = (found["kind"], found["number"]) if found else (name, "")
    called = f"{_CALLED.get(kind, 'comments')} {number}"
    return Paragraphs(lambda _: called, ends=_ENDS, says=_SAYS)
