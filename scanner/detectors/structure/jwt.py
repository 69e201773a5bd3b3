"""JSON Web Tokens: what the token says about itself, without verifying it."""

from __future__ import annotations

import base64
import binascii
import json

from stanch.scanner.detectors.candidate import (
    NOT_THIS,
    NOTHING_TO_SAY,
    Candidate,
    CheckResult,
    Disposition,
)
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence, Severity

_TOKEN = regex(
    rb"(eyJ[A-Za-z0-9_-]{8,2048})\.(eyJ[A-Za-z0-9_-]{4,16384})\.?([A-Za-z0-9_-]{0,2048})"
)
_FAR = 1 << 53
_PUBLIC_ROLES = ("anon", "anonymous")
#: The sample that <https://jwt.io> shows; its subject and name are fixed.
_SAMPLE = ("1234567890", "John Doe")


def check_jwt(candidate: Candidate) -> CheckResult:
    """Two JSON parts and a signature; an expired or public one matters less."""
    token = _TOKEN.match(candidate.data, candidate.start)
    if token is None:
        return NOT_THIS
    candidate.end = token.end()
    header, payload = _object(token[1]), _object(token[2])
    if header is None or payload is None or "alg" not in header:
        return NOT_THIS
    if not token[3] or str(header["alg"]).lower() == "none":
        return CheckResult(fate=Disposition.HARMLESS)
    return _claims(payload, candidate.now)


def _claims(payload: dict[str, object], now: float) -> CheckResult:
    if (payload.get("sub"), payload.get("name")) == _SAMPLE:
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    if payload.get("role") in _PUBLIC_ROLES:
        return CheckResult(severity=Severity.LOW, reason="parse")
    expires = payload.get("exp")
    if not isinstance(expires, (int, float)):
        return NOTHING_TO_SAY
    if expires < now:
        return CheckResult(
            confidence=Confidence.MEDIUM, severity=Severity.LOW, reason="parse, expired"
        )
    return CheckResult(until=_finite(expires))


def _finite(seconds: float) -> float | None:
    """As a number that everybody can read; None for what is beyond all calendars."""
    return float(seconds) if seconds < _FAR else None


def claims_of(token: bytes) -> dict[str, object] | None:
    """The payload of ``header.payload.signature``; ``None`` when it is not JSON."""
    parts = token.split(b".")
    return _object(parts[1]) if len(parts) > 1 else None


def _object(part: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
