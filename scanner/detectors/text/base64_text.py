"""Base64 as it is written: either alphabet, with padding or without."""

from __future__ import annotations

import base64
import binascii


def decoded(text: bytes) -> bytes | None:
    """Base64 in either alphabet, padded or not; ``None`` when it is neither."""
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
