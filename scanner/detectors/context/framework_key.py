"""Keys that sign a web application's sessions: where they stand says whether they are in use."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.context.provider_value import looks_issued
from stanch.scanner.detectors.text.path_kind import is_document, is_example_ground
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_made_of_words
from stanch.scanner.model.entropy import entropy
from stanch.scanner.model.finding import Confidence

_FAR = 4000
_SECTION = regex(rb"(?m)^[\"']?(\w{1,40})[\"']?:[ \t]*(?:&\w+[ \t]*)?$")
_NOT_IN_USE = frozenset((b"development", b"test", b"dev", b"ci"))
_COMPUTED = regex(
    rb"^(?:<%|\{\{|[$#]\{|\$\w|[A-Za-z_][\w.:]*\()|^[A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)+$|^[A-Za-z_]+$"
)
_SENTENCE = regex(rb"[A-Za-z ,.'!-]+")
_VARIED = 3.2
_SPACE = b" "


def check_framework_key(candidate: Candidate) -> CheckResult:
    """Random, and not the one that a development server makes do with."""
    value = candidate.value
    if _COMPUTED.search(value) or is_made_of_words(value):
        return NOT_THIS
    varied = looks_issued(value) or (_SPACE in value and not _SENTENCE.fullmatch(value))
    if not varied or (entropy(value) < _VARIED and not value.isdigit()):
        return NOT_THIS
    if is_example_ground(candidate.path) or is_document(candidate.path):
        return CheckResult(confidence=Confidence.LOW, reason="in an example")
    front = candidate.data[max(0, candidate.start - _FAR) : candidate.start]
    section = next((each[1] for each in reversed(list(_SECTION.finditer(front)))), b"")
    if section in _NOT_IN_USE:
        return CheckResult(confidence=Confidence.LOW, reason="for development")
    return NOTHING_TO_SAY
