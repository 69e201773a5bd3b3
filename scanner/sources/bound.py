"""Up to where content is looked at as one piece, and what makes it binary."""

from __future__ import annotations

import codecs

WINDOW = 1 << 20
"""Bytes that a window owns; content up to this size is one fragment."""

HEAD = 8000
"""How far into the content a NUL byte makes it binary; the same bound as git's."""

# The longer marks come first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def is_binary(head: bytes) -> bool:
    """Whether there is a NUL near the beginning; wide encodings have that too."""
    return b"\0" in head[:HEAD]


def encoding_of(head: bytes) -> str | None:
    """The wide encoding whose mark this content begins with, None for any other."""
    # In UTF-16 every ASCII character brings a NUL. A mark before plain text would only hide it.
    if not is_binary(head):
        return None
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)
