"""Azure's identifiable keys: Marvin32 over the key's own bytes.

The algorithm: <https://github.com/microsoft/SymCrypt/blob/main/lib/marvin32.c>; the key layouts:
<https://github.com/microsoft/security-utilities>. The seed is a tag of eight letters for each kind.
"""

from __future__ import annotations

import base64
import binascii
import struct

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.structure.checksum import BASE62, encode
from stanch.scanner.detectors.text.doubt import doubtful
from stanch.scanner.model.finding import Confidence

_MASK = 0xFFFFFFFF
#: By the signature in the key; kinds that are not here have a seed that is not published.
_SEEDS = {
    b"+ASt": b"Default0",
    b"AzCa": b"Access00",
    b"+ACR": b"ACRDflt0",
    b"JQQJ": b"Default0",
}
_SIGNED = (b"+ASt", b"AzCa", b"JQQJ")  # whose layout and seed were confirmed with real keys
_CASK_BYTES = 60
_CASK_SIZE = 84
_WIDTH = 4


def marvin32(data: bytes, seed: bytes) -> bytes:
    """The checksum of ``data``, four bytes, little-endian; ``seed`` has eight bytes."""
    number = int.from_bytes(seed, "big")
    low, high = number & _MASK, number >> 32
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        low, high = _mixed((low + word) & _MASK, high)
    low, high = _mixed((low + int.from_bytes(data[whole:] + b"\x80", "little")) & _MASK, high)
    low, high = _mixed(low, high)
    return (low ^ high).to_bytes(4, "little")


def cask_checksum(key: bytes) -> bytes:
    """The four characters that end a common annotated security key."""
    number = int.from_bytes(marvin32(base64.b64decode(key[:80]), b"Default0"), "little")
    return encode(number, BASE62, 6)[:_WIDTH]


def check_identifiable_key(candidate: Candidate) -> CheckResult:
    """The last four bytes are the checksum of the others; without it a key is doubtful."""
    value = candidate.value
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return NOT_THIS
    signature = next((each for each in _SEEDS if each in value), None)
    if signature and marvin32(raw[:-_WIDTH], _SEEDS[signature]) == raw[-_WIDTH:]:
        return CheckResult(confidence=Confidence.HIGH, reason="prefix+checksum")
    if signature in _SIGNED:
        return doubtful(candidate, "checksum failed")
    return CheckResult(confidence=Confidence.MEDIUM, reason="prefix+shape")


def check_cask(candidate: Candidate) -> CheckResult:
    """A common annotated security key; older ones hold the checksum as it is, newer in base62."""
    value = candidate.value
    try:
        raw = base64.b64decode(value[: len(value) // 4 * 4])
        newer = cask_checksum(value)
    except binascii.Error:
        return NOT_THIS
    sum_ = marvin32(raw[:_CASK_BYTES], b"Default0")
    raw_sum = base64.b64encode(sum_)[:_WIDTH]
    end = value[_CASK_SIZE - _WIDTH : _CASK_SIZE]
    if end in (newer, raw_sum):
        return CheckResult(confidence=Confidence.HIGH, reason="prefix+checksum")
    return doubtful(candidate, "checksum failed")


def _mixed(low: int, high: int) -> tuple[int, int]:
    high ^= low
    low = (_rotated(low, 20) + high) & _MASK
    high = _rotated(high, 9) ^ low
    low = (_rotated(low, 27) + high) & _MASK
    return low, _rotated(high, 19)


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _MASK
