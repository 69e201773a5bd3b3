"""Google's key files: a service account's private key, a user's refresh token."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.candidate import Candidate, CheckResult, Disposition
from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_stand_in
from stanch.scanner.model.finding import Confidence

_PEM = b"-----BEGIN"
_ARMOUR = regex(rb"-{5}[A-Z ]{3,40}-{5}")
_ADDRESS = regex(rb"[^\"@\s]{1,90}@[^\"\s]{4,90}")
_CLIENT = (b"client_secret", b"client_id")
_SHORTEST_TOKEN = 6
_SHORTEST_KEY = 100  # base64 of an elliptic curve's


def service_account(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The private key of a service account."""
    key = found.mapping.scalar(b"private_key")
    if found.mapping.text(b"type") == b"service_account" and key and _PEM in key.text:
        yield held(key, found.mapping.text(b"client_email"), key.text.strip())


def check_service_account(candidate: Candidate) -> CheckResult:
    """The whole key file names the account that the key belongs to."""
    body = b"".join(_ARMOUR.sub(b"", candidate.value).split())
    if len(body) < _SHORTEST_KEY or is_placeholder(body):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    if not _ADDRESS.fullmatch(candidate.name):
        return CheckResult(confidence=Confidence.LOW, reason="shape")
    return CheckResult(confidence=Confidence.HIGH, reason="parse")


def authorized_user(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The refresh token of a user, beside the client that it belongs to."""
    token = found.mapping.scalar(b"refresh_token")
    if token is None or len(token.text) < _SHORTEST_TOKEN or b" " in token.text:
        return
    if all(len(found.mapping.text(name)) >= _SHORTEST_TOKEN for name in _CLIENT):
        yield held(token, b"refresh_token")
        secret = found.mapping.scalar(_CLIENT[0])
        if secret is not None:
            yield held(secret, _CLIENT[0])


def check_refresh_token(candidate: Candidate) -> CheckResult:
    """The file was parsed; what is left to ask is whether its token is one.

    The client's secret is no finding beside it: one key file is one credential.
    """
    if candidate.name == _CLIENT[0]:
        return CheckResult(fate=Disposition.HARMLESS)
    if is_placeholder(candidate.value) or is_stand_in(candidate.value):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    return CheckResult(confidence=Confidence.HIGH, reason="parse")
