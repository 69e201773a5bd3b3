"""What a document holds: one value, with what it says and what it is called there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.document.node import Scalar
from stanch.scanner.model.record import Record


class Held(Record):
    """``data[start:end]`` is how a secret is written in a document, and ``text`` is the secret.

    The two differ where it is escaped or encoded. The fingerprint is of ``text``, so that one
    secret is one incident in whatever form it was seen.
    """

    start: int
    end: int
    text: bytes
    name: bytes = b""


Reading = Callable[[bytes, Found, Budget], Iterator[Held]]
"""Says which values of a mapping are the credential."""


def held(scalar: Scalar, name: bytes, text: bytes | None = None) -> Held:
    """A value as it stands; ``text`` where it says something else than it seems to."""
    return Held(
        start=scalar.start, end=scalar.end, text=scalar.text if text is None else text, name=name
    )
