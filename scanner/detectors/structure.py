"""Tokens that are structured data in base64: what they decode to."""

from __future__ import annotations

import base64
import binascii
import json

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, Opinion
from stanch.scanner.detectors.doubt import doubtful
from stanch.scanner.detectors.jwt import claims_of
from stanch.scanner.detectors.regex import regex
from stanch.scanner.model.finding import Confidence

_PARSED = Opinion(confidence=Confidence.HIGH, reason="parse")
_JSON_HEAD = regex(rb"eyJ[A-Za-z0-9+/_-]*={0,2}")
#: What an object has to hold where its first bytes are all that the pattern knows.
_MEMBERS = {b"eyJhIjoi": {"a", "t", "s"}, b"eyJrIjoi": {"k", "n", "id"}}
_SNOWFLAKE = range(10**16, 10**20)
_DIGITS = 20
_PYPI = (b"\x02\x01\x08pypi.org", b"\x02\x01\x0dtest.pypi.org")
_HEX_BODY = regex(rb"(?:.*_)?[0-9a-f]+")
_HMAC_ID = regex(rb"GOOG1?[A-Z2-7]+")
_PRIVATE = regex(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")


def decoded(text: bytes) -> bytes | None:
    """Base64 in either alphabet, padded or not; ``None`` when it is neither."""
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def json_in(value: bytes) -> object:
    """The JSON that stands in ``value`` as base64 (it begins with ``eyJ``), else ``None``."""
    head = _JSON_HEAD.search(value)
    if head is None:
        return None
    raw = decoded(head[0].partition(b"_")[0]) or decoded(head[0])
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return None


def check_base64_json(candidate: Candidate) -> Opinion:
    """An object that carries its own claims; one with others belongs to somebody else."""
    claims = json_in(candidate.value)
    if not isinstance(claims, dict):
        return doubtful(candidate, "does not parse")
    return _PARSED if _MEMBERS.get(candidate.value[:8], set()) <= claims.keys() else NOT_THIS


def check_mapbox(candidate: Candidate) -> Opinion:
    """The middle part names user and token."""
    claims = json_in(candidate.value.partition(b".")[2].partition(b".")[0])
    return _parsed(candidate, holds=isinstance(claims, dict) and {"u", "a"} <= claims.keys())


def check_discord_id(candidate: Candidate) -> Opinion:
    """The first part is the bot's id, a number of 17 to 20 digits."""
    raw = decoded(candidate.value.split(b".")[0]) or b""
    real = raw.isdigit() and len(raw) <= _DIGITS and int(raw) in _SNOWFLAKE
    return _PARSED if real else NOT_THIS


def check_decimal_head(candidate: Candidate) -> Opinion:
    """Digits, a colon and random bytes: Jira's and Confluence's own tokens."""
    raw = decoded(candidate.value) or b""
    number, colon, rest = raw.partition(b":")
    return _PARSED if number.isdigit() and colon and len(rest) >= 16 else NOT_THIS  # noqa: PLR2004 - random part


def check_base64_head(candidate: Candidate) -> Opinion:
    """JFrog's reference tokens begin with their own name."""
    raw = decoded(candidate.value) or b""
    return _parsed(candidate, holds=raw.startswith(b"reftkn:"))


def check_pypi(candidate: Candidate) -> Opinion:
    """A macaroon, version 2: location and signature; an altered one still is what it says."""
    raw = decoded(candidate.value.removeprefix(b"pypi-")) or b""
    whole = raw.startswith(_PYPI) and b"\x00\x00\x06\x20" in raw[-40:]
    return _PARSED if whole else Opinion(confidence=Confidence.MEDIUM, reason="prefix+shape")


def check_macaroon(candidate: Candidate) -> Opinion:
    """Fly.io's tokens: a MessagePack array in base64."""
    raw = decoded(candidate.value.partition(b"_")[2].partition(b",")[0]) or b""
    return _parsed(candidate, holds=raw[:1] in (b"\x93", b"\x94", b"\x96"))


def check_bedrock(candidate: Candidate) -> Opinion:
    """Bedrock's keys name themselves."""
    raw = decoded(candidate.value.removeprefix(b"ABSK").removeprefix(b"bedrock-api-key-")) or b""
    return _parsed(candidate, holds=raw.startswith((b"BedrockAPIKey-", b"bedrock.amazonaws.com")))


def check_base64_pem(candidate: Candidate) -> Opinion:
    """A private key block in base64."""
    raw = decoded(candidate.value) or b""
    return _PARSED if _PRIVATE.match(raw) else NOT_THIS


def check_hex(candidate: Candidate) -> Opinion:
    """What is behind the prefix is hexadecimal where the provider issues nothing else."""
    holds = _HEX_BODY.fullmatch(candidate.value)
    return NOTHING_TO_SAY if holds else doubtful(candidate, "not hex")


def check_google_key_id(candidate: Candidate) -> Opinion:
    """An id of Cloud Storage that is not base32 was never issued."""
    if _HMAC_ID.fullmatch(candidate.value):
        return NOTHING_TO_SAY
    return Opinion(confidence=Confidence.LOW, reason="not base32")


def check_issued_by_microsoft(candidate: Candidate) -> Opinion:
    """A JWT whose issuer is Entra."""
    claims = claims_of(candidate.value) or {}
    issuer = str(claims.get("iss", ""))
    if issuer and "sts.windows.net" not in issuer and "microsoftonline" not in issuer:
        return NOT_THIS
    return NOTHING_TO_SAY


def check_supabase_role(candidate: Candidate) -> Opinion:
    """A JWT whose role is the service's; the public ones are no secret."""
    claims = claims_of(candidate.value) or {}
    return NOTHING_TO_SAY if claims.get("role") == "service_role" else NOT_THIS


def _parsed(candidate: Candidate, *, holds: bool) -> Opinion:
    return _PARSED if holds else doubtful(candidate, "does not parse")
