"""What stands around a candidate, whatever its rule: a sample, a test vector, minified code."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import (
    NOT_THIS,
    NOTHING_TO_SAY,
    Candidate,
    CheckResult,
    Disposition,
)
from stanch.scanner.detectors.text.encrypted import is_within_encrypted
from stanch.scanner.detectors.text.published_sample import is_published
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

_FRONT = 48
_SEALED = 2048
#: `example: "…"` in a description of an interface, `placeholder="e.g. …"` in a form.
_SHOWS = regex(
    rb"(?i)\b(?:placeholder|examples?)[\"'`]?[ \t]{0,3}[:=][ \t]{0,3}[\[{(]?[\"'`]?"
    rb"(?:e\.g\.,?[ \t]{0,2})?$|(?i:\be\.g\.,?[ \t]{0,2}[\"'`]?$)"
)
_BUNDLED = (".js", ".mjs", ".cjs", ".css")
_LINE = 1000  # bytes: no person writes longer lines of code
_STANZA = 400
_LONG = 64
_RUN = regex(rb"(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9+/]{64}")
_BASE64 = regex(rb"[A-Za-z0-9+/]+=*")
#: A line of base64, and where it was wrapped; what stands behind a whole line of it.
_WRAPPED = regex(rb"[A-Za-z0-9+/]{48}(?:\\r?\\n|\\n|\r?\n)$")
_GOES_ON = regex(rb"[A-Za-z0-9+/]{0,60}={0,2}(?:\\[rn]|\r?\n)")
_JOINTS = (b"+", b"/")
#: Lines of files of known answers, as OpenSSL and NIST's CAVP have them.
_VECTOR = regex(
    rb"(?m)^(COUNT|Msg|MD|PT|CT|IV|AAD|IKM|OKM|PRK|Ctrl|Derive|PeerKey"
    rb"|Plaintext|Ciphertext|KDF|Availablein)(?:\.[A-Za-z]+)?[ \t]*[:=]"
)


def check_surroundings(candidate: Candidate) -> CheckResult:
    """Harmless when documentation prints it, low when its own line says that it is an example."""
    if is_published(candidate.value):
        return CheckResult(fate=Disposition.HARMLESS)
    if _BASE64.fullmatch(candidate.value) and _is_within_base64(candidate):
        return NOT_THIS
    if is_within_encrypted(candidate.before(_SEALED)):
        return NOT_THIS
    if _SHOWS.search(candidate.before(_FRONT)):
        return CheckResult(at_most=Confidence.LOW, reason="shown as an example")
    return NOTHING_TO_SAY


def _is_within_base64(candidate: Candidate) -> bool:
    """Whether it is a stretch of a long run: everything occurs in megabytes of random letters."""
    data, start, end = candidate.data, candidate.start, candidate.end
    if _WRAPPED.search(data, max(0, start - _LONG), start) and _GOES_ON.match(data, end):
        return True
    if data[end : end + 1] in _JOINTS and _RUN.fullmatch(data, end, end + _LONG):
        return True
    return data[start - 1 : start] in _JOINTS and bool(_RUN.fullmatch(data, start - _LONG, start))


def is_minified(candidate: Candidate) -> bool:
    """Whether it stands in code that a program has written, on one line with everything else."""
    if not candidate.path.endswith(_BUNDLED):
        return False
    return len(candidate.before(_LINE)) + len(candidate.after(_LINE)) >= _LINE


def names_block(candidate: Candidate) -> bool:
    """Whether it is the name of the key that stands below it: ``PrivateKey=ALICE``."""
    below = candidate.data[candidate.end : candidate.end + _FRONT]
    return below[:1] in (b"\r", b"\n") and below.lstrip().startswith(b"-----BEGIN")


def is_test_vector(candidate: Candidate) -> bool:
    """Whether the lines around belong to a file of known answers."""
    start = max(0, candidate.start - _STANZA)
    found = _VECTOR.finditer(candidate.data, start, candidate.end + _STANZA)
    return len({match[1] for match in found}) > 1
