"""JSON Web Keys: the member that makes a key a private one is the secret."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.candidate import Candidate, CheckResult
from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

#: RFC 7518 and RFC 8037, and the seeds of ML-DSA keys.
_PRIVATE_MEMBER = {b"RSA": b"d", b"EC": b"d", b"OKP": b"d", b"oct": b"k", b"AKP": b"priv"}
_VALUE = regex(rb"[A-Za-z0-9_+/=-]{20,6000}")


def private_member(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The private member of a key; a public one has none."""
    name = _PRIVATE_MEMBER.get(found.mapping.text(b"kty"), b"")
    secret = found.mapping.scalar(name)
    if secret is not None and _VALUE.fullmatch(secret.text):
        yield held(secret, name)


def check_jwk(candidate: Candidate) -> CheckResult:
    """It was parsed; what is left to ask is whether somebody made it up."""
    if is_placeholder(candidate.value):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    return CheckResult(confidence=Confidence.HIGH, reason="parse")
