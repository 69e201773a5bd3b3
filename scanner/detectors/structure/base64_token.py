"""Tokens that are structured data in base64: what they decode to."""

from __future__ import annotations

import json

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.structure.jwt import claims_of
from stanch.scanner.detectors.text.base64_text import decoded
from stanch.scanner.detectors.text.doubt import doubtful
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

_PARSED = CheckResult(confidence=Confidence.HIGH, reason="parse")
_JSON_HEAD = regex(rb"eyJ[A-Za-z0-9+/_-]*={0,2}")
#: What an object has to hold where its first bytes are all that the pattern knows.
_MEMBERS = {b"eyJhIjoi": {"a", "t", "s"}, b"eyJrIjoi": {"k", "n", "id"}}
_SNOWFLAKE = range(10**16, 10**20)
_DIGITS = 20
_PYPI = (b"\x02\x01\x08pypi.org", b"\x02\x01\x0dtest.pypi.org")
_HEX_BODY = regex(rb"(?:.*_)?[0-9a-f]+")
_HMAC_ID = regex(rb"GOOG1?[A-Z2-7]+")
_PRIVATE = regex(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")


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


def check_base64_json(candidate: Candidate) -> CheckResult:
    """An object that carries its own claims; one with others belongs to somebody else."""
    claims = json_in(candidate.value)
    if not isinstance(claims, dict):
        return doubtful(candidate, "does not parse")
    return _PARSED if _MEMBERS.get(candidate.value[:8], set()) <= claims.keys() else NOT_THIS


def check_mapbox(candidate: Candidate) -> CheckResult:
    """The middle part names user and token."""
    claims = json_in(candidate.value.partition(b".")[2].partition(b".")[0])
    return _parsed(candidate, holds=isinstance(claims, dict) and {"u", "a"} <= claims.keys())


def check_discord_id(candidate: Candidate) -> CheckResult:
    """The first part is the bot's id, a number of 17 to 20 digits."""
    raw = decoded(candidate.value.split(b".")[0]) or b""
    real = raw.isdigit() and len(raw) <= _DIGITS and int(raw) in _SNOWFLAKE
    return _PARSED if real else NOT_THIS


def check_decimal_head(candidate: Candidate) -> CheckResult:
    """Digits, a colon and random bytes: Jira's and Confluence's own tokens."""
    raw = decoded(candidate.value) or b""
    number, colon, rest = raw.partition(b":")
    return _PARSED if number.isdigit() and colon and len(rest) >= 16 else NOT_THIS  # noqa: PLR2004 - random part


def check_base64_head(candidate: Candidate) -> CheckResult:
    """JFrog's reference tokens begin with their own name."""
    raw = decoded(candidate.value) or b""
    return _parsed(candidate, holds=raw.startswith(b"reftkn:"))


def check_pypi(candidate: Candidate) -> CheckResult:
    """A macaroon, version 2: location and signature; an altered one still is what it says."""
    raw = decoded(candidate.value.removeprefix(b"pypi-")) or b""
    whole = raw.startswith(_PYPI) and b"\x00\x00\x06\x20" in raw[-40:]
    return _PARSED if whole else CheckResult(confidence=Confidence.MEDIUM, reason="prefix+shape")


def check_macaroon(candidate: Candidate) -> CheckResult:
    """Fly.io's tokens: a MessagePack array in base64."""
    raw = decoded(candidate.value.partition(b"_")[2].partition(b",")[0]) or b""
    return _parsed(candidate, holds=raw[:1] in (b"\x93", b"\x94", b"\x96"))


def check_bedrock(candidate: Candidate) -> CheckResult:
    """Bedrock's keys name themselves."""
    raw = decoded(candidate.value.removeprefix(b"ABSK").removeprefix(b"bedrock-api-key-")) or b""
    return _parsed(candidate, holds=raw.startswith((b"BedrockAPIKey-", b"bedrock.amazonaws.com")))


def check_base64_pem(candidate: Candidate) -> CheckResult:
    """A private key block in base64."""
    raw = decoded(candidate.value) or b""
    return _PARSED if _PRIVATE.match(raw) else NOT_THIS


def check_hex(candidate: Candidate) -> CheckResult:
    """What is behind the prefix is hexadecimal where the provider issues nothing else."""
    holds = _HEX_BODY.fullmatch(candidate.value)
    return NOTHING_TO_SAY if holds else doubtful(candidate, "not hex")


def check_google_key_id(candidate: Candidate) -> CheckResult:
    """An id of Cloud Storage that is not base32 was never issued."""
    if _HMAC_ID.fullmatch(candidate.value):
        return NOTHING_TO_SAY
    return CheckResult(confidence=Confidence.LOW, reason="not base32")


def check_issued_by_microsoft(candidate: Candidate) -> CheckResult:
    """A JWT whose issuer is Entra."""
    claims = claims_of(candidate.value) or {}
    issuer = str(claims.get("iss", ""))
    if issuer and "sts.windows.net" not in issuer and "microsoftonline" not in issuer:
        return NOT_THIS
    return NOTHING_TO_SAY


def check_supabase_role(candidate: Candidate) -> CheckResult:
    """A JWT whose role is the service's; the public ones are no secret."""
    claims = claims_of(candidate.value) or {}
    return NOTHING_TO_SAY if claims.get("role") == "service_role" else NOT_THIS


def _parsed(candidate: Candidate, *, holds: bool) -> CheckResult:
    return _PARSED if holds else doubtful(candidate, "does not parse")
