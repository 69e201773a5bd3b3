"""Texts of office files whose paragraphs are cut into runs."""

from __future__ import annotations

from collections.abc import Callable

from stanch.scanner.sources.content.document.part import Collected

_SPACES = {"tab": "\t", "br": "\n", "cr": "\n", "s": " ", "line-break": "\n"}


class Paragraphs(Collected):
    """One piece for each paragraph: its texts joined, as the reader of the file sees them."""

    def __init__(
        self, called: Callable[[int], str], *, ends: frozenset[str], says: frozenset[str]
    ) -> None:
        super().__init__()
        self._called = called
        self._ends = ends
        self._says = says  # elements whose text counts; all within a paragraph if none
        self._open: list[str] = []  # paragraphs around
        self._said: list[str] = []
        self._within = 0
        self._number = 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Text counts from here, or not."""
        if name in self._ends:
            self._open.append(name)
        self._within += name in self._says
        if name in _SPACES and self._open:
            self._said.append(_SPACES[name])
        self.attributes(self._called(self._number), attributes)

    def end(self, name: str) -> None:
        """A paragraph is complete."""
        self._within -= name in self._says
        if name in self._ends and self._open:
            self._open.pop()
            self.say(self._called(self._number), "".join(self._said))
            self._said = []
            self._number += 1

    def text(self, said: str) -> None:
        """Text, if it is the document's."""
        if not (self._within or (not self._says and self._open)):
            return
        if self.joined(self._said, said):
            self.say(self._called(self._number), "".join(self._said))
            self._said = []
