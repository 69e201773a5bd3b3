"""A file that holds nothing but one value: its name says what the value is."""

from __future__ import annotations

import posixpath

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

#: Rails: the key of `config/credentials.yml.enc` and its siblings, one for each environment.
_RAILS = regex(r"(?:^|/)config/(?:master|credentials/[\w-]+)\.key$")
_HEX = regex(rb"[0-9a-f]{32}|[0-9a-f]{64}")
_NAMED = regex(
    r"(?ai)passw(?:or)?d|passphrase|(?:^|[_])(?:pwd|pass|token|secret|credential)s?$|secret|[a-z_]token$"
    r"|(?:api|auth|access|private|signing|encryption|service|account|master|license)_?key$"
)
_ENDING = regex(r"\.(?:txt|secret|pass|password|cfg|conf|dat|value)$")


def check_single_value(candidate: Candidate) -> CheckResult:
    """The whole content, judged as if it were assigned to the file's name."""
    if _RAILS.search(candidate.path):
        holds = _HEX.fullmatch(candidate.value)
        return CheckResult(confidence=Confidence.HIGH, reason="parse") if holds else NOT_THIS
    name = _ENDING.sub("", posixpath.basename(candidate.path)).strip(".").replace("-", "_")
    if "." in name or not _NAMED.search(name):
        return NOT_THIS
    found = Assignment(
        name=name.encode(),
        operator=b"=",
        quote=b'"',
        start=candidate.start,
        end=candidate.end,
        cut=b"",
        front=b"",
        tail=b"",
    )
    return judged(found, candidate)
