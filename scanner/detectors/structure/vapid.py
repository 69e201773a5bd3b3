"""Keys of web push: whether a private key and the public one beside it are a pair (RFC 8292)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.text.base64_text import decoded
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

_AROUND = 500  # bytes: a pair stands on neighbouring lines, and history shows no more
#: A point of P-256, not compressed. Subscriptions have such a key too, which is the browser's.
_POINT = regex(rb"(?<![0-9A-Za-z_-])B[0-9A-Za-z_-]{86}(?![0-9A-Za-z_-])")
_PUBLIC = regex(rb"(?i)public[\w \t-]{0,20}[\"'`]?[ \t]{0,4}[:=,][\s\"'`]{0,24}$")
_NAME = 64
_SIZE = 32  # bytes of a private key


def check_vapid(candidate: Candidate) -> CheckResult:
    """High beside its own public key, low beside one that is another's."""
    points = _points(candidate)
    if _is_own(candidate, points):
        return CheckResult(confidence=Confidence.HIGH, reason="key pair")
    data, starts = candidate.data, [point.start() for point in points]
    if any(_PUBLIC.search(data, max(0, at - _NAME), at) for at in starts):
        return CheckResult(confidence=Confidence.LOW, reason="not a key pair")
    return NOTHING_TO_SAY


def check_pair(candidate: Candidate) -> CheckResult:
    """A number is a key only beside the point that follows from it."""
    if _is_own(candidate, _points(candidate)):
        return CheckResult(confidence=Confidence.HIGH, reason="key pair")
    return NOT_THIS


def _points(candidate: Candidate) -> list[re.Match[bytes]]:
    """The public keys beside it."""
    start = max(0, candidate.start - _AROUND)
    return list(_POINT.finditer(candidate.data, start, candidate.end + _AROUND))


def _is_own(candidate: Candidate, points: Sequence[re.Match[bytes]]) -> bool:
    """Whether one of the points follows from it."""
    if not points:
        return False
    own = public_key(decoded(candidate.value) or b"")
    return own is not None and any(decoded(point[0]) == own for point in points)


def public_key(private: bytes) -> bytes | None:
    """The point that belongs to a private key, 65 bytes; ``None`` where it is none."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # start-up
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # as above

    if len(private) != _SIZE:
        return None
    try:
        key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    except ValueError:  # zero, or not below the order of the curve
        return None
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
