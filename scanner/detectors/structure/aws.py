"""What an AWS credential says about itself, offline."""

from __future__ import annotations

import base64
import binascii

from stanch.scanner.detectors.candidate import (
    NOT_THIS,
    NOTHING_TO_SAY,
    Candidate,
    CheckResult,
    Disposition,
)
from stanch.scanner.detectors.text.placeholder import has_digit
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.entropy import entropy
from stanch.scanner.model.finding import Confidence

_ACCOUNT_MASK = 0x7FFFFFFFFF80
_ACCOUNT_SHIFT = 7
_NAME = regex(rb"(?i)(?:secret[_\-. ]?(?:access[_\-. ]?)?key|aws[_\-. ]?secret)[^\n]{0,24}$")
_AWS_NAME = regex(rb"(?i)(?:aws|amazon|amz|s3)[^\n]{0,40}$|secret[_\-. ]?access[_\-. ]?key")
_RUN = regex(rb"[A-Za-z0-9/+=_%-]{0,4000}")
_LOWEST_ENTROPY = 4.0


def account_of(key_id: bytes) -> str | None:
    """The account that owns an access key id, 12 digits; ``None`` when the id is not base32.

    The layout is described at <https://awsteele.com/blog/2020/09/26/aws-access-key-format.html>.
    Ids made before 2019 carry no account; they decode to a number without meaning.
    """
    try:
        raw = base64.b32decode(key_id[4:])
    except (binascii.Error, ValueError):
        return None
    return f"{(int.from_bytes(raw[:6], 'big') & _ACCOUNT_MASK) >> _ACCOUNT_SHIFT:012d}"


def check_key_id(candidate: Candidate) -> CheckResult:
    """An id that is not base32 was never issued."""
    if account_of(candidate.value) is None:
        return CheckResult(confidence=Confidence.LOW, reason="not base32")
    return NOTHING_TO_SAY


def check_secret_key(candidate: Candidate) -> CheckResult:
    """Random enough, and either named as what it is or only good as the other half of a pair."""
    value = candidate.value
    kinds = (value.lower() != value, value.upper() != value, has_digit(value))
    if not all(kinds) or entropy(value) < _LOWEST_ENTROPY:
        return NOT_THIS
    front = candidate.before(120)
    if _NAME.search(front) and _AWS_NAME.search(front):
        return CheckResult(confidence=Confidence.HIGH, reason="keyword+shape")
    return CheckResult(fate=Disposition.HALF)  # any provider may call its own a secret key


def check_session_token(candidate: Candidate) -> CheckResult:
    """Extends the head to the whole token; one of less than 200 characters is cut off."""
    run = _RUN.match(candidate.data, candidate.start)
    candidate.end = run.end() if run else candidate.end
    if candidate.end - candidate.start < 200:  # noqa: PLR2004 - said above
        return NOT_THIS
    return NOTHING_TO_SAY
