"""Connection strings, SAS addresses and password files."""

from __future__ import annotations

from datetime import UTC, datetime

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.context.provider_value import check_stand_in
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence, Severity

_VARIABLE = regex(rb"^[$%{<(\[+&@]|\$\{|\{\{|\{[\w.]*\}|%[sdv]|#\{|^\.\.\.|^\*+|^#+|\+$|^\"")
_EXPIRY = regex(rb"[?&;]se=(\d{4}-\d{2}-\d{2})")
_HASH_FILE = regex(r"(?i)(?:^|/)(?:[\w.-]*htpasswd[\w.-]*|g?shadow-?|passwd-?|[\w.-]+\.ldif)$")
_PASS_LINE = regex(rb"[0-9A-Za-z_.*-]{1,80}:(?:5432|6432|\d{4,5}|\*):[^:]*:[^:]*:")
_PASS_FILE = regex(r"(?i)pgpass|\.(?:conf|cfg|txt|env)$")


def check_connection(candidate: Candidate) -> CheckResult:
    """A literal password within a connection string; variables and stand-ins are none."""
    if _VARIABLE.search(candidate.value):
        return NOT_THIS
    return check_stand_in(candidate)


def check_azure_length(candidate: Candidate) -> CheckResult:
    """A key is base64 of whole bytes; one of odd length is altered."""
    if len(candidate.value) % 4:
        return CheckResult(confidence=Confidence.MEDIUM, reason="shape")
    return NOTHING_TO_SAY


def check_azure_sas(candidate: Candidate) -> CheckResult:
    """A signature with its expiry; what has expired opens nothing."""
    expiry = _EXPIRY.search(b"?" + candidate.value.replace(b"&amp;", b"&"))
    if expiry is None:
        return CheckResult(confidence=Confidence.LOW, reason="no expiry")
    if is_placeholder(candidate.value.rpartition(b"sig=")[2]):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    try:
        ends = datetime.fromisoformat(expiry[1].decode()).replace(tzinfo=UTC)
    except ValueError:
        return CheckResult(confidence=Confidence.LOW, reason="no expiry")
    expired = ends.timestamp() < candidate.now
    if expired:
        return CheckResult(severity=Severity.LOW, reason="parse, expired")
    return CheckResult(reason="parse", until=ends.timestamp())


def check_pgpass(candidate: Candidate) -> CheckResult:
    """A line of five fields is a password file's only in such a file, or when it names a port."""
    line = candidate.before(400)
    real = _PASS_FILE.search(candidate.path) and _PASS_LINE.fullmatch(line)
    return NOTHING_TO_SAY if real else NOT_THIS


def check_password_file(candidate: Candidate) -> CheckResult:
    """A hash counts where a service reads its passwords; elsewhere it is a test's more often."""
    if not _HASH_FILE.search(candidate.path):
        return NOTHING_TO_SAY
    return CheckResult(confidence=Confidence.MEDIUM, reason="password file")


def check_npmrc(candidate: Candidate) -> CheckResult:
    """A registry's token or user and password; variables are none."""
    if b"${" in candidate.value or candidate.value.startswith(b"process."):
        return NOT_THIS
    return NOTHING_TO_SAY
