"""Values without a shape of their own that follow a provider's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from stanch.scanner.detectors.candidate import (
    NOT_THIS,
    NOTHING_TO_SAY,
    Candidate,
    CheckResult,
    Disposition,
)
from stanch.scanner.detectors.matching.pattern import lead_of
from stanch.scanner.detectors.text.path_kind import is_example_ground, is_foreign_ground
from stanch.scanner.detectors.text.placeholder import has_digit, is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import (
    is_made_of_words,
    is_stand_in,
    pieces,
    reads_like_word,
)
from stanch.scanner.model.entropy import entropy
from stanch.scanner.model.finding import Confidence

#: Why a value is low that only stands close to a provider's name.
NEAR = "near its name"
_FRONT = 160
#: Words that say "here is a secret", and signs that give a name its value.
_SECRET_WORD = regex(
    rb"(?i)key|token|secret|passw|pwd|credential|auth|bearer|licen[cs]e|private|access|basic|apikey"
    rb"|login|client|app|sid|consumer|account|webhook|user"
)
_GIVES = regex(rb"=>|[=:>,(]|[ \t]-p[ \t]|--?[a-z-]{1,20}[ =]$|\|[ \t]{0,3}`?$")
_AT_ONCE = regex(
    rb"(?i)(?:(?:key|token|secret|access|private|auth)[-_ .]{1,3}[\"'`]?"
    rb"|(?:api|client|sdk)\(\s?[\"'])$"
)
#: What is not a secret although it looks random.
_OTHER = regex(
    rb"(?i)sha-?\d|sha[_ -]?sum|\bsha\b|\bmd5|digest|commit|checksum|integrity|\brev(?:ision)?\b"
    rb"|etag|\bhash\b|nonce|guid|trace|(?:span|request|session|build|server|image|volume|instance"
    rb"|node|cluster|resource|device|object)[_-]?id"
    rb"|fingerprint|public[_-]?key|thumbprint|[\w./-]{12,}/$|import |from "
    rb"|/[\w.-]+[ \t]+$|\bh1:"
)
#: A digest or an id in the address of a page or a picture.
_ADDRESS = regex(rb"https?://[^\s\"'`<>]{0,150}$")
#: Even a mere id counts where it is called a token.
_CALLED_SECRET = regex(rb"(?i)(?:token|secret)[\w-]{0,4}[\"' ]{0,3}[:=][\s\"'`]{0,3}$")
_OWN_NAME = regex(rb"(?i)(?:secret|auth[_-]?token)[\w\"' ]{0,12}[:=][\s\"']{0,4}$")
#: Which application or place it is; what opens it has another name.
_ITS_ID = regex(
    rb"(?i)(?:app|page|site|space|org|project|tenant|user)[_-]?id[\"' ]{0,3}[:=][\s\"'`]{0,3}$"
)
_HEX = regex(rb"(?i)[0-9a-f]+")
_UUID = regex(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHAPED = regex(rb"[A-Za-z0-9+/=_.-]*[-_.][A-Za-z0-9+/=_.-]*")
#: `?api_key=…`: a secret in an address, unlike the digest that is part of a path.
_QUERY = regex(
    rb"(?i)[?&;][\w.-]{0,40}(?:key|token|secret|auth|passw(?:or)?d|pwd|sid)[\w-]{0,12}=$"
)
_NEAR = CheckResult(confidence=Confidence.LOW, reason=NEAR)
_SIGNS = tuple(bytes([sign]) for sign in b"@!^~?")
_INTERNAL = (b"__", b"::")  # __stringMin1Max128, MIB::ibmTrap2: names of a program
_AROUND = b" \t\"'`"
_LONG = 16
_WORD = 4
_WORDY = 0.6
_FEWEST_BITS = 2.8
_FEWEST_BITS_OF_DIGITS = 2.2
_DIGIT_SHARE = 16  # one character of so many is a digit in everything that is drawn by lot
_FILLED_IN = regex(rb"^[$%{<(\[]|\$\{|\{\{|^\*+$|^@|%[sdv]|\\")


def check_named(candidate: Candidate) -> CheckResult:
    """Medium where a value is given to a secret's name; low where it only stands near the name."""
    value = candidate.value
    if not looks_issued(value) or _goes_on(candidate) or is_made_of_words(value):
        return NOT_THIS
    front = candidate.data[max(0, candidate.start - _FRONT) : candidate.start]
    near = front[-48:]
    line = _line_of(near)
    address = _ADDRESS.search(front) and not _QUERY.search(line)
    if (
        address
        or is_foreign_ground(candidate.path)
        or (_OTHER.search(line) and not _QUERY.search(line))
    ):
        return _NEAR
    said = _SECRET_WORD.search(near) is not None
    given = _GIVES.search(line[-24:]) is not None
    bare = _HEX.fullmatch(value) or _UUID.fullmatch(value)
    if bare and _ITS_ID.search(line):
        return _NEAR
    placed = (said and given) or _AT_ONCE.search(line) or ((given or said) and not bare)
    if not placed and not (_is_mixed(value) and _follows_name(candidate.rule.pattern, line)):
        return _NEAR
    confidence = candidate.rule.confidence
    if confidence is Confidence.LOW and _CALLED_SECRET.search(line):
        confidence = Confidence.MEDIUM
    return CheckResult(confidence=confidence, reason="keyword+shape")


def _goes_on(candidate: Candidate) -> bool:
    """Whether it is a part of something else: a password's sign touches it, or it is called."""
    around = candidate.data[max(0, candidate.start - 1) : candidate.start]
    if candidate.data[max(0, candidate.start - 2) : candidate.start] in _INTERNAL:
        return True
    behind = candidate.data[candidate.end : candidate.end + 1]
    return around in _SIGNS or behind in _SIGNS or around == b"$" or behind == b"("


def _line_of(near: bytes) -> bytes:
    """What leads to a value: its line, or the one before when the value stands alone on its own."""
    before, _, line = near.rpartition(b"\n")
    if line.strip(_AROUND):
        return line
    return before.rstrip().rpartition(b"\n")[2] + b" " + line.strip(b" \t")


def _is_mixed(value: bytes) -> bool:
    """Both cases and digits in one long run: no word, and no digest."""
    return (
        len(value) >= _LONG
        and has_digit(value)
        and value.upper() != value
        and value.lower() != value
    )


def _follows_name(pattern: str, line: bytes) -> bool:
    """Whether nothing but a space or a quote stands between the provider's name and the value."""
    lead = lead_of(pattern)
    return lead is not None and _adjacent(lead).search(line) is not None


@cache
def _adjacent(lead: str) -> re.Pattern[bytes]:
    return regex(lead.encode("ascii") + rb"[ \t\"'`]{1,3}$")


def check_random(candidate: Candidate) -> CheckResult:
    """Drops what people write: words, few different characters."""
    return NOTHING_TO_SAY if looks_issued(candidate.value) else NOT_THIS


def check_half(candidate: Candidate) -> CheckResult:
    """Only good as the other half of a pair, unless its own name says that it is a secret."""
    if not looks_issued(candidate.value):
        return NOT_THIS
    front = candidate.before(48)
    if _ADDRESS.search(front) and not _QUERY.search(front):
        return CheckResult(fate=Disposition.HALF)
    if _OWN_NAME.search(front) or _is_given_to_provider(front, candidate.rule.keywords):
        return NOTHING_TO_SAY
    return CheckResult(fate=Disposition.HALF)


def _is_given_to_provider(front: bytes, names: Sequence[str]) -> bool:
    """Whether a value is given to a name that holds the provider's and a word for secrets."""
    lower = front.lower()
    at = max((lower.rfind(name.lower().encode("ascii")) for name in names), default=-1)
    name = front[at:] if at >= 0 else b""
    return bool(_SECRET_WORD.search(name) and _GIVES.search(name[-24:]))


def check_masked(candidate: Candidate) -> CheckResult:
    """Harmless when one character fills the token; for alphabets in which runs are normal."""
    tail = candidate.value[-24:]
    return CheckResult(fate=Disposition.HARMLESS) if len(set(tail)) <= 3 else NOTHING_TO_SAY  # noqa: PLR2004 - said above


def check_stand_in(candidate: Candidate) -> CheckResult:
    """A password counts by its place; words that say "a password goes here" do not."""
    value = candidate.value
    if _FILLED_IN.search(value):
        return NOT_THIS
    if is_stand_in(value) or is_placeholder(value):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    if is_example_ground(candidate.path) and reads_like_word(value):
        return CheckResult(confidence=Confidence.LOW, reason="words in an example")
    return CheckResult(confidence=candidate.rule.confidence, reason="keyword+place")


def looks_issued(value: bytes) -> bool:
    """Whether a machine made it; short values need a digit, long ones variety."""
    if _UUID.fullmatch(value) or len(value) < _LONG:
        return has_digit(value) and len(set(value)) * 3 > min(len(value), 18)
    return _varied(value)


def _varied(value: bytes) -> bool:
    """Whether a long value is no words joined together."""
    digits = sum(byte in b"0123456789" for byte in value)
    if value.isdigit():
        return entropy(value) >= _FEWEST_BITS_OF_DIGITS
    if entropy(value) < _FEWEST_BITS or is_made_of_words(value):
        return False
    if digits * _DIGIT_SHARE >= len(value):
        return True
    if value.islower() or value.isupper() or (not digits and _SHAPED.fullmatch(value)):
        return False
    letters = sum(len(word) for word in pieces(value) if word.isalpha() and len(word) > _WORD)
    return letters < _WORDY * len(value)
