"""Text from repositories, logs and attackers, made safe for a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` on one line, with every character that would not be seen spelled out: ``⟨U+001B⟩``.

    That is control characters (escape sequences), bidi overrides (which make a path read
    backwards), zero-width ones and odd spaces.
    """
    return "".join(c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in text)


def clip(text: str, high: int) -> str:
    """``text``, cut to ``high`` characters with an ellipsis when it is longer."""
    return text if len(text) <= high else text[: high - 1] + "…"
