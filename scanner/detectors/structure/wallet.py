"""Keys with a checksum against typing errors: age (bech32), Bitcoin (base58check), Ethereum."""

from __future__ import annotations

import hashlib

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.structure.crc import VERIFIED, verdict
from stanch.scanner.detectors.text.regex_cache import regex

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_IN_BECH32, _IN_BASE58 = frozenset(_BECH32), frozenset(_BASE58)
_LONGEST = 128  # characters of base58: an extended key has 111
_NUMBER = regex(rb"(?:0x)?([0-9A-Fa-f]{64})")
_SUM = 4
#: The order of secp256k1: a private key is a number below it.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_ABOUT_A_KEY = regex(rb"(?i)priv(?:ate)?[_ -]?key|mnemonic|wallet|secret|signer")
_ABOUT_A_HASH = regex(rb"(?i)hash|block|root|digest|sha|checksum|tx|transaction|commit")


def check_bech32(candidate: Candidate) -> CheckResult:
    """BIP 173's checksum, which age keys carry; it finds every single wrong letter."""
    text = candidate.value.decode("latin-1").lower()
    human, _, data = text.rpartition("1")
    if not _IN_BECH32.issuperset(data):
        return verdict(candidate, holds=False)
    expanded = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    holds = polymod(expanded + [_BECH32.index(c) for c in data]) == 1
    return verdict(candidate, holds=holds)


def bech32(human: str, raw: bytes) -> str:
    """``raw`` in bech32 with its checksum, in lower case."""
    bits = int.from_bytes(raw, "big") << (-len(raw) * 8 % 5)
    count = (len(raw) * 8 + 4) // 5
    data = [bits >> 5 * at & 31 for at in range(count - 1, -1, -1)]
    expanded = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    sum_ = polymod(expanded + data + [0] * 6) ^ 1
    data += [sum_ >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{human}1" + "".join(_BECH32[each] for each in data)


def polymod(values: list[int]) -> int:
    """BIP 173's remainder; 1 for a valid text."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check


def check_base58(candidate: Candidate) -> CheckResult:
    """Base58Check; random text of this shape is common, so a failure means another thing."""
    value = candidate.value
    if len(value) > _LONGEST or not _IN_BASE58.issuperset(value):
        return NOT_THIS
    raw = base58_decoded(value)
    body, end = raw[:-_SUM], raw[-_SUM:]
    return VERIFIED if _double(body)[:_SUM] == end else NOT_THIS


def base58check(raw: bytes) -> bytes:
    """``raw`` with its checksum in base58."""
    number = int.from_bytes(raw + _double(raw)[:_SUM], "big")
    digits = bytearray()
    while number:
        number, digit = divmod(number, len(_BASE58))
        digits.append(_BASE58[digit])
    return bytes(reversed(digits))


def base58_decoded(text: bytes) -> bytes:
    """The bytes of ``text`` without leading zeros."""
    number = 0
    for letter in text:
        number = number * len(_BASE58) + _BASE58.index(letter)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def check_secp256k1(candidate: Candidate) -> CheckResult:
    """A number that can be a key, in a place that speaks of keys and not of hashes."""
    digits = _NUMBER.fullmatch(candidate.value)
    number = int(digits[1], 16) if digits else 0
    front = candidate.before(60)
    if not 0 < number < _ORDER or _ABOUT_A_HASH.search(front) or not _ABOUT_A_KEY.search(front):
        return NOT_THIS
    return NOTHING_TO_SAY


def _double(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
