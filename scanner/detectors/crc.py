"""Checks of tokens that end in a CRC of their own body, one function for each provider's scheme."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from scanner.detectors.candidate import NOTHING_TO_SAY, Candidate, Opinion
from scanner.detectors.checksum import crc32_apify, crc32_base36, crc32_base62
from scanner.model.finding import Confidence

FAILED = Opinion(confidence=Confidence.LOW, reason="checksum failed")
VERIFIED = Opinion(confidence=Confidence.HIGH, reason="prefix+checksum")
_ROUTABLE = re.compile(rb"(.+\.)(?:[0-9a-z]{2}\.)?([0-9a-z]{2})([0-9a-z]{7})", re.DOTALL)


def check_github_crc(candidate: Candidate) -> Opinion:
    """GitHub's scheme, which npm, Vercel, Deno and SaladCloud share: base62, after the prefix."""
    body = candidate.value.rpartition(b"_")[2]
    return _verdict(crc32_base62(body[:-6]) == body[-6:])


def check_gitlab_crc(candidate: Candidate) -> Opinion:
    """Routable tokens end in length and CRC32; older ones have neither."""
    routable = _ROUTABLE.fullmatch(candidate.value)
    if routable is None:
        return NOTHING_TO_SAY
    return _verdict(crc32_base36(candidate.value[:-7]) == routable[3])


def check_apify_crc(candidate: Candidate) -> Opinion:
    """Six characters over prefix and body."""
    value = candidate.value
    return _verdict(crc32_apify(value[:-6]) == value[-6:])


def check_atlassian_crc(candidate: Candidate) -> Opinion:
    """Eight upper-case hexadecimal digits over everything before them."""
    body, end = candidate.value[:-8], candidate.value[-8:]
    return _verdict(end in (_hex(body).upper(), _hex(body.rstrip(b"=")).upper()))


def check_cloudflare_crc(candidate: Candidate) -> Opinion:
    """Eight hexadecimal digits over the body without its prefix."""
    body = candidate.value.partition(b"_")[2]
    return _verdict(_hex(body[:-8]) == body[-8:])


def check_zuplo_crc(candidate: Candidate) -> Opinion:
    """Eight hexadecimal digits over the body between prefix and last underscore."""
    _, body, end = candidate.value.split(b"_")
    return _verdict(_hex(body) == end)


def check_grafana_crc(candidate: Candidate) -> Opinion:
    """Eight hexadecimal digits, the bytes in little-endian order, over prefix and body."""
    body, _, end = candidate.value.rpartition(b"_")
    return _verdict(zlib.crc32(body).to_bytes(4, "little").hex().encode() == end.lower())


def check_confluent_crc(candidate: Candidate) -> Opinion:
    """Six characters of base64, the bytes in little-endian order, over the body."""
    body = candidate.value[4:]
    return _verdict(_base64_crc(body[:-6]) == body[-6:])


def check_nkey(candidate: Candidate) -> Opinion:
    """A NATS seed ends in CRC16 (XMODEM), little-endian, inside its base32."""
    value = candidate.value
    try:
        raw = base64.b32decode(value + b"=" * (-len(value) % 8))
    except (binascii.Error, ValueError):
        return FAILED
    return _verdict(crc16_xmodem(raw[:-2]).to_bytes(2, "little") == raw[-2:])


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM, as in :func:`binascii.crc_hqx` with an initial value of 0."""
    return binascii.crc_hqx(data, 0)


def _verdict(holds: bool) -> Opinion:  # noqa: FBT001  # the only argument there is
    return VERIFIED if holds else FAILED


def _hex(body: bytes) -> bytes:
    return f"{zlib.crc32(body):08x}".encode()


def _base64_crc(body: bytes) -> bytes:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "little"))[:6]
