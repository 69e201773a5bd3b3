"""Access key ids as AWS makes them: a prefix, then base32 with the account id inside.

The layout is not documented by AWS; it was published by Tal Be'ery and holds for ids issued since
2019: https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489
"""

from __future__ import annotations

import base64
import binascii
import random

_ACCOUNT_BITS = 40
_SPARE_BITS = 7  # below the account id, within the first six bytes
_NEW_GENERATION = 1 << 47  # set in every id that carries an account
_BODY_BYTES = 10  # sixteen base32 characters


def issue(prefix: str, account_id: str, source: random.Random) -> str:
    """A fresh id (``AKIA…`` or ``ASIA…``) that decodes to ``account_id``."""
    head = _NEW_GENERATION | int(account_id) << _SPARE_BITS | source.getrandbits(_SPARE_BITS)
    body = head.to_bytes(6, "big") + source.randbytes(_BODY_BYTES - 6)
    return prefix + base64.b32encode(body).decode()


def account_of(key_id: str) -> str | None:
    """The account inside an id, or None when it carries none."""
    try:
        head = int.from_bytes(base64.b32decode(key_id[4:])[:6], "big")
    except binascii.Error:
        return None
    if not head & _NEW_GENERATION:
        return None
    return f"{head >> _SPARE_BITS & (1 << _ACCOUNT_BITS) - 1:012d}"
