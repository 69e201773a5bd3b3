"""Key stores of random content, for the examples of rules."""

from __future__ import annotations

import random

from stanch.scanner.detectors.structure.der import (
    CONTEXT_0,
    INTEGER,
    OBJECT,
    OCTETS,
    SEQUENCE,
    element,
)

_DATA = element(OBJECT, bytes.fromhex("2a864886f70d010701"))
_SEALED_BAG = element(OBJECT, bytes.fromhex("2a864886f70d010c0a0102"))
_RSA = element(OBJECT, bytes.fromhex("2a864886f70d010101"))
_NULL = b"\5\0"


def pkcs12(chance: random.Random) -> bytes:
    """A sealed key in a store without a MAC."""
    bag = element(SEQUENCE, _SEALED_BAG, element(CONTEXT_0, chance.randbytes(1300)))
    safe = element(OCTETS, element(SEQUENCE, bag))
    return element(
        SEQUENCE,
        element(INTEGER, b"\3"),
        element(SEQUENCE, _DATA, element(CONTEXT_0, safe)),
    )


def jks(chance: random.Random, kind: str) -> bytes:
    """One entry, a ``key`` or somebody's ``certificate``."""
    head = bytes.fromhex("feedfeed0000000200000001")
    tag = (1 if kind == "key" else 2).to_bytes(4, "big")
    alias = b"\0\3app" + chance.randbytes(8)
    named = b"" if kind == "key" else b"\0\5X.509"
    body = chance.randbytes(900)
    return head + tag + alias + named + len(body).to_bytes(4, "big") + body + chance.randbytes(20)


def private_key(chance: random.Random) -> bytes:
    """PKCS#8 around what could be an RSA key."""
    return element(
        SEQUENCE,
        element(INTEGER, b"\0"),
        element(SEQUENCE, _RSA, _NULL),
        element(OCTETS, element(SEQUENCE, chance.randbytes(1187))),
    )
