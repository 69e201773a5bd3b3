"""Patterns of every construct, put together at random, and texts that they may match."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECE = st.sampled_from(
    ["a", "[ab]", r"\x41", r"\.", "(?:ab|c)", "(b)", "(?:a|b{0,2})", "(?=a)", "(?!b)", "[^]a]"]
)
_TIMES = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}?", "{2,}", "??"])


def _pattern(parts: list[tuple[str, str]], *, wrap: bool) -> bytes:
    text = "".join(
        piece + ("" if piece.startswith(("(?=", "(?!")) else times) for piece, times in parts
    )
    return (f"({text})" if wrap else text).encode()


PATTERNS = st.builds(
    _pattern, st.lists(st.tuples(_PIECE, _TIMES), min_size=1, max_size=4), wrap=st.booleans()
)
TEXTS = st.text("abcA.", max_size=12).map(str.encode)
