"""Checks of tokens that end in a CRC of their own body, one function for each provider's scheme."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from stanch.scanner.detectors.candidate import NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.structure.checksum import crc32_apify, crc32_base36, crc32_base62
from stanch.scanner.detectors.text.doubt import doubtful
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

VERIFIED = CheckResult(confidence=Confidence.HIGH, reason="prefix+checksum")
_ROUTABLE = regex(rb"(.+\.)(?:[0-9a-z]{2}\.)?([0-9a-z]{2})([0-9a-z]{7})", re.DOTALL)


def check_github_crc(candidate: Candidate) -> CheckResult:
    """GitHub's scheme, which npm, Vercel, Deno and SaladCloud share: base62, after the prefix."""
    body = candidate.value.rpartition(b"_")[2]
    return verdict(candidate, holds=crc32_base62(body[:-6]) == body[-6:])


def check_gitlab_crc(candidate: Candidate) -> CheckResult:
    """Routable tokens end in length and CRC32; older ones have neither."""
    routable = _ROUTABLE.fullmatch(candidate.value)
    if routable is None:
        return NOTHING_TO_SAY
    return verdict(candidate, holds=crc32_base36(candidate.value[:-7]) == routable[3])


def check_apify_crc(candidate: Candidate) -> CheckResult:
    """Six characters over prefix and body."""
    value = candidate.value
    return verdict(candidate, holds=crc32_apify(value[:-6]) == value[-6:])


def check_atlassian_crc(candidate: Candidate) -> CheckResult:
    """Eight upper-case hexadecimal digits over everything before them."""
    body, end = candidate.value[:-8], candidate.value[-8:]
    return verdict(candidate, holds=end in (_hex(body).upper(), _hex(body.rstrip(b"=")).upper()))


def check_cloudflare_crc(candidate: Candidate) -> CheckResult:
    """Eight hexadecimal digits over the body without its prefix."""
    body = candidate.value.partition(b"_")[2]
    return verdict(candidate, holds=_hex(body[:-8]) == body[-8:])


def check_zuplo_crc(candidate: Candidate) -> CheckResult:
    """Eight hexadecimal digits over the body between prefix and last underscore."""
    front, _, end = candidate.value.rpartition(b"_")
    body = front.partition(b"_")[2]
    return verdict(candidate, holds=_hex(body) == end)


def check_grafana_crc(candidate: Candidate) -> CheckResult:
    """Eight hexadecimal digits, the bytes in little-endian order, over prefix and body."""
    body, _, end = candidate.value.rpartition(b"_")
    return verdict(
        candidate, holds=zlib.crc32(body).to_bytes(4, "little").hex().encode() == end.lower()
    )


def check_confluent_crc(candidate: Candidate) -> CheckResult:
    """Six characters of base64, the bytes in little-endian order, over the body."""
    body = candidate.value[4:]
    return verdict(candidate, holds=_base64_crc(body[:-6]) == body[-6:])


def check_nkey(candidate: Candidate) -> CheckResult:
    """A NATS seed ends in CRC16 (XMODEM), little-endian, inside its base32."""
    value = candidate.value
    try:
        raw = base64.b32decode(value + b"=" * (-len(value) % 8))
    except (binascii.Error, ValueError):
        return verdict(candidate, holds=False)
    return verdict(candidate, holds=crc16_xmodem(raw[:-2]).to_bytes(2, "little") == raw[-2:])


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM, as in :func:`binascii.crc_hqx` with an initial value of 0."""
    return binascii.crc_hqx(data, 0)


def verdict(candidate: Candidate, *, holds: bool) -> CheckResult:
    """High when the checksum holds; a token that fails it is doubtful, not absent."""
    return VERIFIED if holds else doubtful(candidate, "checksum failed")


def _hex(body: bytes) -> bytes:
    return f"{zlib.crc32(body):08x}".encode()


def _base64_crc(body: bytes) -> bytes:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "little"))[:6]
