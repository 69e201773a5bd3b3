"""What findings quote of the place they are in: without any value, and of bounded length."""

from __future__ import annotations

import re

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.record import Record

_MASK = "•••"
_LONGEST = 160  # characters
_ASSIGNED = re.compile(r"(?<![\w-])(--?[\w-]+|[A-Za-z_][\w.]*)=(\"[^\"]*\"|'[^']*'|[^\s;&|]+)")
_TOKEN = re.compile(r"(?<![\w/.:@-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{16,}(?![\w/.-])")
_FILE = re.compile(r"(?:COPY|ADD) (?:--(?:from|chown|chmod|link)=\S+ )*")


class Quoted(Record):
    """Masks instructions of images and names of steps: everything found in them repeats them."""

    engine: Engine

    def masked(self, said: str) -> str:
        """The text without what the rules find in it, what is assigned, and what looks random."""
        fragment = Fragment(data=said.encode(), provenance=InStream(path="Dockerfile"))
        for match in self.engine.scan(fragment):
            for value in match.parts.values():
                said = said.replace(value.reveal().decode("utf-8", "replace"), _MASK)
        head = _FILE.match(said)
        front, rest = (said[: head.end()], said[head.end() :]) if head else ("", said)
        rest = _TOKEN.sub(_MASK, _ASSIGNED.sub(rf"\1={_MASK}", rest))
        whole = front + rest
        return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
