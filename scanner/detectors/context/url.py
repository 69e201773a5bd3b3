"""URLs that carry a user and a password."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.text.path_kind import is_document, is_example_ground
from stanch.scanner.detectors.text.percent import unquoted
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_stand_in, reads_like_word
from stanch.scanner.model.finding import Confidence

_URL = regex(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,30})://(?P<user>[^\s:@/\"'`<>]{0,100}):"
    rb"(?P<password>[^\s\"'`<>]{1,200})@(?P<host>[^\s/:?#\"'`<>@,;\\)\]}]{1,200})"
)
_REST = regex(rb"[^\s\"'`<>,;)\]}\\&]{0,300}")
_TEMPLATE = regex(rb"\$|\{|\}|%[sdv(]|<|\[|\]|\*\*|\.\.\.|#\{|^:|\|")
_EXAMPLE_HOST = regex(rb"(?i)(?:^|\.)example(?:\.|$)|\.invalid$|\.test$|^host(?:name)?$|^HOST$")
_FEW = 2  # different characters: 1111, abab


class Place(NamedTuple):
    """The parts of a URL that a preview may show."""

    scheme: str
    host: str


def place_of(value: bytes) -> Place | None:
    """Scheme and host of a URL with credentials, made printable."""
    url = _URL.match(value)
    if url is None:
        return None
    return Place(url["scheme"].decode("ascii"), url["host"].decode("utf-8", "replace"))


def check_url(candidate: Candidate) -> CheckResult:
    """Extends to the whole URL; variables are no secret, sample passwords and hosts only low."""
    url = _URL.match(candidate.data, candidate.start)
    if url is None:
        return NOT_THIS
    rest = _REST.match(candidate.data, url.end())
    candidate.end = rest.end() if rest else url.end()
    password = url["password"]
    if _TEMPLATE.search(password) or _TEMPLATE.search(url["user"]) or b"://" in password:
        return NOT_THIS
    # On a host of the public internet an account is an account, also with its name for a password.
    named = b"" if b"." in url["host"] else url["user"]
    weak = is_stand_in(password, named) or is_placeholder(password)
    if weak or len(set(password)) <= _FEW or _EXAMPLE_HOST.search(url["host"]):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    made_up_here = is_example_ground(candidate.path) or is_document(candidate.path)
    if made_up_here and reads_like_word(unquoted(password)):
        return CheckResult(confidence=Confidence.LOW, reason="words in an example")
    return NOTHING_TO_SAY


def check_basic_auth(candidate: Candidate) -> CheckResult:
    """RFC 7617: base64 of ``user:password``, printable; sample passwords only low."""
    try:
        decoded = base64.b64decode(candidate.value + b"=" * (-len(candidate.value) % 4))
        user, colon, password = decoded.decode().partition(":")
    except (binascii.Error, ValueError):
        return NOT_THIS
    if not (colon and password and decoded.decode().isprintable()):
        return NOT_THIS
    if is_stand_in(password.encode(), user.encode()) or _TEMPLATE.search(password.encode()):
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    return NOTHING_TO_SAY
