"""Keys that are public by design: every visitor of the page or owner of the phone has them."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence, Severity

#: The settings that Firebase hands to apps.
_FILE = regex(r"(?i)(?:^|/)(?:google-services[\w.-]*\.json|GoogleService-Info[\w.-]*\.plist)$")
#: The same as a web page holds them, around the key.
_SETTINGS = regex(
    rb"(?i)auth_?domain|messaging_?sender_?id|measurement_?id|firebaseapp\.com|firebase_?config"
)
_FAR = 400


def check_public_by_design(candidate: Candidate) -> CheckResult:
    """A key of Firebase names a project; what it allows is said by the project's rules."""
    front = max(0, candidate.start - _FAR)
    around = candidate.data[front : candidate.end + _FAR]
    if _FILE.search(candidate.path) or _SETTINGS.search(around):
        return CheckResult(
            confidence=Confidence.MEDIUM, severity=Severity.LOW, reason="public by design"
        )
    return NOTHING_TO_SAY
