"""Authorization headers: the scheme is no part of the credential, and often is not written."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.context.name_and_value import is_class_name
from stanch.scanner.detectors.context.provider_value import looks_issued
from stanch.scanner.detectors.text import path_kind
from stanch.scanner.detectors.text.base64_text import decoded
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.settings_file import is_settings
from stanch.scanner.detectors.text.template import is_template
from stanch.scanner.detectors.text.wordlike import is_stand_in
from stanch.scanner.model.finding import Confidence

_SCHEME = regex(rb"(?i)\s*(?:(?:bearer|token|api-?key|apitoken|sso-key|geniekey|bot)\s{1,3})?")
#: Schemes whose value is no secret by itself, or has a rule of its own.
_OTHER = regex(rb"(?i)\s*(?:basic|digest|negotiate|ntlm|aws4?-hmac-\S+|aws4?|hawk|signature)\b")
_TOKEN = regex(rb"[0-9A-Za-z._~+/=:|-]{16,800}")
_RECORDED = regex(r"(?i)\.(?:http|rest|har|json|har\.gz)$")
_QUOTES = (b'"', b"'", b"`", b";")
_QUOTED_WHOLE = regex(rb"[\"'`][^\"'`\n]{0,40}(?i:authorization)[\"'`]?[ \t]{0,4}[:=,][ \t]{0,4}$")
_ISSUED = CheckResult(confidence=Confidence.MEDIUM, reason="keyword+entropy")


def check_header_value(candidate: Candidate) -> CheckResult:
    """The value of a header as a document holds it: a scheme, perhaps, and the credential."""
    value = candidate.value
    scheme = _SCHEME.match(value)
    skipped = scheme.end() if scheme else 0
    token = value[skipped:].strip()
    if _OTHER.match(value) or is_template(token) or not _TOKEN.fullmatch(token):
        return NOT_THIS
    at = candidate.data.find(token, candidate.start, candidate.end)
    if at >= 0:
        candidate.start, candidate.end = at, at + len(token)
    candidate.text = token
    return _ISSUED if looks_issued(token) else NOT_THIS


def check_header_token(candidate: Candidate) -> CheckResult:
    """A token without a scheme: only in quotes, or where a bare word is a value."""
    value, path = candidate.value, candidate.path
    if path_kind.is_foreign_ground(path) or not looks_issued(value) or is_class_name(value):
        return NOT_THIS
    front = candidate.before(96)
    written = front[-1:] in _QUOTES or _QUOTED_WHOLE.search(front)
    if not written and not (is_settings(path, candidate.data) or _RECORDED.search(path)):
        return NOT_THIS
    return _ISSUED


def check_bearer(candidate: Candidate) -> CheckResult:
    """A token behind its scheme; one that is a text in base64 says itself what it is."""
    value = candidate.value
    if not looks_issued(value):
        return NOT_THIS
    text = decoded(value) or b""
    if text and text.isascii() and (is_placeholder(text) or is_stand_in(text)):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    return NOTHING_TO_SAY
