"""What is inside an access key id."""

from __future__ import annotations

import base64
import binascii

_PREFIX_LENGTH = 4
_ACCOUNT_MASK = 0x7FFFFFFFFF80


def decode_account(key_id: str) -> str | None:
    """The 12-digit account inside a key id of the present form, or None when it has none.

    The account is 40 bits of the base32 body: https://hackingthe.cloud/aws/enumeration/
    get-account-id-from-keys/ shows the derivation. Ids from before 2019 and samples in
    documentation do not follow it.
    """
    try:
        head = base64.b32decode(key_id[_PREFIX_LENGTH:])[:6]
    except (binascii.Error, ValueError):
        return None
    account = (int.from_bytes(head, "big") & _ACCOUNT_MASK) >> 7
    return f"{account:012d}" if 0 < account < 10**12 else None
