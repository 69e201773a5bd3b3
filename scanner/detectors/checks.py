"""Every check that a rule may name. A check looks at one candidate and says what it thinks."""

from __future__ import annotations

import re

from scanner.detectors.aws import check_key_id, check_secret_key, check_session_token
from scanner.detectors.candidate import NOTHING_TO_SAY, Candidate, Check, Fate, Opinion
from scanner.detectors.checksum import crc32_base36, crc32_base62
from scanner.detectors.generic import check_argument, check_assignment
from scanner.detectors.jwt import check_jwt
from scanner.detectors.pem import check_pem, check_putty
from scanner.detectors.placeholder import is_placeholder
from scanner.detectors.url import check_basic_auth, check_url
from scanner.model.finding import Confidence
from scanner.model.rule import RuleClass

_FAILED = Opinion(confidence=Confidence.LOW, reason="checksum failed")
_VERIFIED = Opinion(confidence=Confidence.HIGH, reason="prefix+checksum")
_ROUTABLE = re.compile(rb"(.+\.)(?:[0-9a-z]{2}\.)?([0-9a-z]{2})([0-9a-z]{7})", re.DOTALL)


def check_placeholder(candidate: Candidate) -> Opinion:
    """Made-up values: harmless when the prefix is certain, else for a person to judge."""
    if not is_placeholder(candidate.value):
        return NOTHING_TO_SAY
    if candidate.rule.rule_class in (RuleClass.A, RuleClass.B):
        return Opinion(fate=Fate.HARMLESS)
    return Opinion(confidence=Confidence.LOW, reason="placeholder")


def check_github_crc(candidate: Candidate) -> Opinion:
    """The last six characters are the CRC32 of those after the prefix."""
    body = candidate.value.partition(b"_")[2]
    return _VERIFIED if crc32_base62(body[:-6]) == body[-6:] else _FAILED


def check_gitlab_crc(candidate: Candidate) -> Opinion:
    """Routable tokens end in length and CRC32; older ones have neither."""
    routable = _ROUTABLE.fullmatch(candidate.value)
    if routable is None:
        return NOTHING_TO_SAY
    return _VERIFIED if crc32_base36(candidate.value[:-7]) == routable[3] else _FAILED


CHECKS: dict[str, Check] = {
    "aws-key-id": check_key_id,
    "aws-secret-key": check_secret_key,
    "aws-session-token": check_session_token,
    "argument": check_argument,
    "assignment": check_assignment,
    "basic-auth": check_basic_auth,
    "github-crc32": check_github_crc,
    "gitlab-crc32": check_gitlab_crc,
    "jwt": check_jwt,
    "pem": check_pem,
    "placeholder": check_placeholder,
    "putty": check_putty,
    "url": check_url,
}
