"""The binary files that are read although they are no archives: key stores and private keys."""

from __future__ import annotations

import re

#: PKCS#5 in an object identifier: what follows is sealed.
_SEALED = rb"\x30[\x0b-\x7f]\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"
_LENGTH = rb"(?:[\x80\x20-\x7f]|\x81.|\x82..|\x83...)"
_HEAD = re.compile(
    rb"(?:\xfe\xed\xfe\xed|\xce\xce\xce\xce)\x00\x00\x00[\x01\x02]"  # JKS, JCEKS
    rb"|\x30" + _LENGTH + rb"(?:\x02\x01\x03\x30"  # PKCS#12
    rb"|\x02\x01\x00(?:\x30[\x05-\x20]\x06|\x02[\x40-\x42\x81\x82])"  # PKCS#8, PKCS#1
    rb"|\x02\x01\x01\x04[\x1c-\x42]"  # SEC 1
    rb"|(?:\x30" + _LENGTH + rb")?" + _SEALED + rb")",  # BCFKS, sealed PKCS#8
    re.DOTALL,
)


def holds_keys(head: bytes) -> bool:
    """Whether a file that begins like this is a key store or a private key; rules look closer."""
    return _HEAD.match(head) is not None
