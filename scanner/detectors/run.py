"""Whether data can hold an encoded run at all: a plain search that needs nothing loaded.

Long names and alphabets have letters enough in a row, but end before a run would, see ``decode``.
"""

from __future__ import annotations

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: So many letters and digits in a row are in every run: of what encodes ASCII only every fourth
#: letter can be a sign, and few are. (Rulers, paths and long names would be runs otherwise.)
UNBROKEN = 32
#: So many letters, digits and signs a run has at least.
SHORTEST = 40
ALPHABET = _LETTERS + b"+/-_"
#: Letters and signs become one byte, and so does what may wrap a run; the rest is blank.
_KINDS = bytes(65 if byte in ALPHABET else 10 if byte in b"\\\r\n" else 32 for byte in range(256))
_WHOLE = b"A" * SHORTEST
_WRAPPED = b"A" * UNBROKEN + b"\n"


def may_hold_run(data: bytes) -> bool:
    """Whether there could be a run of base64 or hex, on one line or over several."""
    kinds = data.translate(_KINDS)
    return _WHOLE in kinds or _WRAPPED in kinds
