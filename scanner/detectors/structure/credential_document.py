"""Credentials that are whole documents: Google keys, private JWKs, Kubernetes Secrets."""

from __future__ import annotations

import re

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.text.base64_text import decoded
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_stand_in
from stanch.scanner.model.finding import Confidence, Severity

_FAR = 6000
_PARSED = CheckResult(confidence=Confidence.HIGH, reason="parse")
_PRIVATE_KEY = regex(rb"\\?\"private_key\\?\"\s{0,4}:\s{0,4}\\?\"-----BEGIN")
_CLIENT_EMAIL = regex(rb"client_email\\?\"\s{0,4}:\s{0,4}\\?\"[^\"@\s]{1,90}@[^\"\s]{4,90}")
_FIELD = regex(
    rb"\"(client_secret|client_id|refresh_token|type)\"\s{0,4}:\s{0,4}\"([^\"\s]{6,300})\""
)
_JWK_SECRET = regex(rb"\"(?:d|k)\"\s{0,4}:\s{0,4}\"([A-Za-z0-9_-]{20,1400})\"")
_DATA = regex(rb"(?m)^(?P<indent>[ \t]*)\"?(?P<name>data|stringData)\"?:[ \t]*\{?[ \t]*$")
_ENTRY = regex(rb"^[ \t]+\"?[\w.-]+\"?:[ \t]*[\"']?([^\s\"'#|>][^\"'\n]*)", re.MULTILINE)
_INLINE = regex(rb"\"(?:data|stringData)\"\s*:\s*\{([^{}]{2,4000})\}")
_TEMPLATE = regex(rb"\{\{|\$\{|\$\(|<[^>]+>|ENC\[|^!|^\$[A-Z]")
_OTHER_KIND = regex(rb"SealedSecret|ExternalSecret|SecretProviderClass|bitnami\.com")
_ANNOUNCED = regex(rb"(?i)(?:token|bootstrap)[\w\"' ]{0,20}[ :=]{1,3}[\"']?$")


def check_gcp_service_account(candidate: Candidate) -> CheckResult:
    """The whole key file: a private key and the account's address, in any order."""
    front, back = _around(candidate)
    text = front + back
    if not _CLIENT_EMAIL.search(text) or not _PRIVATE_KEY.search(text):
        return CheckResult(confidence=Confidence.LOW, reason="shape")
    return _PARSED


def check_gcp_adc(candidate: Candidate) -> CheckResult:
    """User credentials: a refresh token with the client that it belongs to."""
    front, back = _around(candidate)
    found = dict(_FIELD.findall(front + back))
    if not {b"refresh_token", b"client_secret", b"client_id"} <= found.keys():
        return NOT_THIS
    if is_placeholder(found[b"refresh_token"]) or is_stand_in(found[b"refresh_token"]):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    return _PARSED


def check_jwk(candidate: Candidate) -> CheckResult:
    """A JWK with its private member; public ones have none."""
    front, back = _around(candidate)
    start = front.rfind(b"{")
    here = front[start + 1 :] + back.partition(b"}")[0]
    secret = _JWK_SECRET.search(here)
    if secret is None or (b'"k"' in here and b'"oct"' not in here and b'"d"' not in here):
        return NOT_THIS
    return (
        CheckResult(confidence=Confidence.LOW, reason="placeholder")
        if is_placeholder(secret[1])
        else _PARSED
    )


def check_kubernetes_secret(candidate: Candidate) -> CheckResult:
    """A manifest that holds values; sealed, external and templated ones hold none."""
    front, back = _around(candidate)
    here = front.rpartition(b"\n---")[2] + back.partition(b"\n---")[0]
    if _OTHER_KIND.search(here):
        return NOT_THIS
    values = _values(here)
    if not values:
        return NOT_THIS
    if all(is_stand_in(each) or is_placeholder(each) for each in values):
        return CheckResult(confidence=Confidence.LOW, severity=Severity.LOW, reason="placeholder")
    return _PARSED


def _values(text: bytes) -> list[bytes]:
    """What the manifest's entries hold, ``data`` decoded, templates left out."""
    found: list[bytes] = []
    for block in _DATA.finditer(text):
        rest = text[block.end() :]
        stop = re.search(rb"\n" + block["indent"] + rb"[^\s]", rest)
        entries = _ENTRY.findall(rest[: stop.start()] if stop else rest)
        found += _kept(entries, encoded=block["name"] == b"data")
    for inline in _INLINE.finditer(text):
        entries = re.findall(rb":\s*\"([^\"]{3,})\"", inline[1])
        found += _kept(entries, encoded=b'"data"' in inline[0])
    return found


def _kept(entries: list[bytes], *, encoded: bool) -> list[bytes]:
    plain = [each.strip() for each in entries if not _TEMPLATE.search(each)]
    if not encoded:
        return [each for each in plain if each]
    return [raw for each in plain if (raw := decoded(each))]


def _around(candidate: Candidate) -> tuple[bytes, bytes]:
    data = candidate.data
    return data[max(0, candidate.start - _FAR) : candidate.start], data[
        candidate.start : candidate.end + _FAR
    ]


def check_bootstrap_token(candidate: Candidate) -> CheckResult:
    """Six and sixteen characters mean a token only behind a word that says so."""
    front = candidate.before(60)
    if not _ANNOUNCED.search(front):
        return NOT_THIS
    return NOTHING_TO_SAY
