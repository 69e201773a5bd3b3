"""Makes text from repositories, logs and attackers harmless where a person reads it."""

from __future__ import annotations

import unicodedata

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def escaped(text: str) -> str:
    r"""The text with control, bidirectional and invisible characters as ``\xNN`` or ``\uNNNN``.

    Terminals act on control characters (ANSI sequences begin with one), and bidirectional marks
    change the order in which a line is read (https://trojansource.codes).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) in _HARMFUL:
        return character.encode("unicode_escape").decode()
    return character
