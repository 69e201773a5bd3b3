"""Passwords and keys without a shape of their own: judged by where and how they are written.

A password counts by its place, not by its entropy: people choose weak ones. A token or key was made
by a machine, so it must look random. What is code, a reference, a template or a word that says "a
password goes here" is no secret.
"""

from __future__ import annotations

import base64
import binascii

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.context import name_and_value
from stanch.scanner.detectors.context.assignment import Assignment, read
from stanch.scanner.detectors.context.surroundings import is_minified, is_test_vector, names_block
from stanch.scanner.detectors.text import path_kind
from stanch.scanner.detectors.text.encrypted import is_encrypted
from stanch.scanner.detectors.text.percent import unquoted
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

_CHOSEN = regex(rb"(?i)secret$|secret[_-]?(?:key|token)$|(?:oauth|api|access)[_-]?key$")
#: The kind of rules that find such names over several lines, as in `jwt:` above `secret:`.
_SIGNS = "signing-secret"
_SIGNING = regex(
    rb"(?i)(?:^|[_.-])(?:secret[_-]?key|(?:jwt|session|cookie|app|flask|django|token)[_-]?secret(?:[_-]?key)?)$"
)
_UUID = regex(
    rb"(?i)(?:[a-z]{1,12}[-_:])?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?:[0-9a-f]{4}-){1,4}[0-9a-f]{4}(?:[0-9a-f]{8})?"
)
#: Keycloak, Azure AD, Vault and others issue UUIDs as secrets; elsewhere they are ids.
_KEEPS_UUID = regex(
    rb"(?i)passw(?:or)?d|passphrase|pwd|(?:^|[_-])pass$|secret(?:[_-]?(?:id|key|value))?$|"
    rb"(?:access|auth|api|http|acl|bearer|deploy|management|master|root|bootstrap)[_-]?token$"
)
#: What is kept instead of a password (hashes of many systems), and what is sealed (openssl's salt).
_PASSWORD_HASH = regex(
    rb"\$[0-9a-z][0-9a-z-]{0,16}\$|\{[A-Z0-9]+\}|pbkdf2_|"
    rb"(?:md5|sha\d+|bcrypt\w*)\$|md5[0-9a-f]{32}$|\*[0-9A-F]{40}$|U2FsdGVkX1|\{[A-Za-z0-9+/]{22,}={0,2}\}$"
)
_SPEAKS = regex(rb"(?i)passw(?:or)?d|passwd|secret|passphrase|credential|(?:^|[-_])(?:pass|pwd)$")
#: `hashedPassword`, `encrypted_secret`: another key, or nobody, can open it.
_SEALED = regex(rb"(?<!un)(?:encrypted|hashed|obscured|masked|redacted)")
_DOC_COMMENT = regex(rb"\s{0,16}(?:\*|>>>|irb)[ >]")
#: `personal_access_token`: the last word says what would stand here.
_NAMES_ONE = regex(rb"[a-z][-_](?:key|token)s?$")
#: What systems ask of a password: one of each.
_KINDS = tuple(regex(kind) for kind in (rb"[A-Z]", rb"[a-z]", rb"[0-9]", rb"[^A-Za-z0-9\s]"))
_STAND_IN = "placeholder"
_LETTER = regex(rb"[A-Za-z]")
_PAIRED = regex(rb"[A-Za-z_.-]+=[^=&%]")  # TYPE=ext4
_BASE64 = regex(rb"(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SHORTEST_PASSWORD = 4
_SHORTEST_CHOSEN = 10
_SHORTEST_TOKEN = 8
_LONG_TOKEN = 16
_LONG = 24
# Found by measuring labelled lines; ratios are of a value's bytes, entropies bits a byte.
_WORD = 4
_VARIED = 2.8
_VARIED_LETTERS = 3.2
_MOSTLY_WORDS = 0.75
_RATHER_WORDS = 0.6


def check_assignment(candidate: Candidate) -> CheckResult:
    """Medium where a real secret is likely, low where a person should look, absent otherwise."""
    found = read(candidate)
    if found is None:
        return NOT_THIS
    candidate.end = found.end
    return judged(found, candidate)


def judged(found: Assignment, candidate: Candidate, *, bare: bool = False) -> CheckResult:
    """What a name and its value are in their place; ``bare`` words are values there in any file."""
    path, value = candidate.path, candidate.value
    if path_kind.is_foreign_ground(path):
        return NOT_THIS
    if found.last_word.endswith(b"key") and names_block(candidate):
        return NOT_THIS
    if not name_and_value.names_secret(found) or name_and_value.points_elsewhere(found, value):
        return NOT_THIS
    if name_and_value.is_phrase(found, value):
        return _phrase(found, value, path)
    if bare:
        literal = bool(found.quote) or not name_and_value.is_expression(found, value)
    else:
        literal = _is_literal(found, value)
    if not literal or name_and_value.is_label(value, path) or is_encrypted(value):
        return NOT_THIS
    signs = candidate.rule.kind == _SIGNS or bool(_SIGNING.search(found.name))
    result = _weighed(found, value, path, signs=signs)
    doubt = result.confidence is Confidence.MEDIUM and _place_doubt(found, candidate)
    return CheckResult(confidence=Confidence.LOW, reason=doubt) if doubt else result


def _phrase(found: Assignment, value: bytes, path: str) -> CheckResult:
    """Words in quotes behind a password's name: a label more often than a passphrase."""
    if not name_and_value.PASSWORD.search(found.last_word) or name_and_value.is_label(value, path):
        return NOT_THIS
    if is_placeholder(value) or is_encrypted(value) or is_stand_in(value, found.name):
        return NOT_THIS
    return CheckResult(confidence=Confidence.LOW, reason="passphrase or label")


def _place_doubt(found: Assignment, candidate: Candidate) -> str | None:
    """Why a likely secret is probably none where it stands; ``None`` when nothing says so."""
    if is_minified(candidate):
        return "minified code"
    if is_test_vector(candidate):
        return "test vector"
    return (
        "documentation in code" if name_and_value.is_in_docstring(found, candidate.path) else None
    )


def _doubt(found: Assignment, value: bytes, path: str) -> str | None:
    """Why a value is probably no secret, whatever its name; ``None`` when nothing says so."""
    if _stands_in(value, found.name) or _PASSWORD_HASH.match(value):
        return _STAND_IN
    if _UUID.fullmatch(value):
        kept = _KEEPS_UUID.search(found.last_word) and not path_kind.is_example_ground(path)
        return None if kept else "uuid"
    if _SEALED.search(found.last_word):
        return "hashed or sealed"
    return "example host" if name_and_value.of_example_host(found) else None


def _is_literal(found: Assignment, value: bytes) -> bool:
    """Whether the value is written out, rather than computed or spoken about."""
    if found.operator == b">":  # only `<password>…</password>` is an assignment
        return found.lead[-1:] == b"<" and found.cut == b"<"
    if found.quote:
        return True
    return not (name_and_value.is_code(found, value) or name_and_value.is_prose(found, value))


def _weighed(found: Assignment, value: bytes, path: str, *, signs: bool) -> CheckResult:
    """How likely a literal value in a secret's place is the secret."""
    doubt = _doubt(found, value, path)
    if doubt == _STAND_IN and _is_weak(found, value, path):
        return CheckResult(confidence=Confidence.MEDIUM, reason="weak password")
    if doubt:
        return CheckResult(confidence=Confidence.LOW, reason=doubt)
    if name_and_value.PASSWORD.search(found.last_word) or _is_chosen(found, value, signs=signs):
        if _is_example(value, path) or (_DOC_COMMENT.match(found.front) and reads_like_word(value)):
            return CheckResult(confidence=Confidence.LOW, reason="words in an example")
        return _opinion(likely=len(value) >= _SHORTEST_PASSWORD, reason="keyword+place")
    issued = _looks_issued(value) or (_UUID.fullmatch(value) is not None)
    if name_and_value.is_class_name(value) and (has_digit(value) or not issued):
        return NOT_THIS  # `"output_token": "NextToken"` names a field
    return _opinion(likely=issued, reason="keyword+entropy")


def _is_weak(found: Assignment, value: bytes, path: str) -> bool:
    """Words for secrets, put together so that a rule for passwords lets them pass: in use."""
    if path_kind.is_example_ground(path) or path_kind.is_document(path):
        return False
    if not name_and_value.PASSWORD.search(found.last_word) or is_placeholder(value):
        return False
    if not is_stand_in(value):  # what it hides is one, not what is written
        return False
    return len(value) >= _SHORTEST_TOKEN and all(kind.search(value) for kind in _KINDS)


def _is_example(value: bytes, path: str) -> bool:
    """Words where passwords are made up: all in tests and samples, plain ones in documents."""
    if path_kind.is_example_ground(path):
        return reads_like_word(value)
    return path_kind.is_document(path) and not has_digit(value) and is_made_of_words(value)


def _stands_in(value: bytes, name: bytes = b"") -> bool:
    """Whether a value, or what is written in it, only says that a secret goes here."""
    if value.isalpha() and len(set(value)) == 1:
        return True  # YYYY
    forms = [value]
    if b"%" in value:
        forms.append(unquoted(value))
    if _BASE64.fullmatch(value):
        forms.extend(_decoded(value))
    if any(is_stand_in(form, name) or is_placeholder(form) for form in forms):
        return True
    return not has_digit(value) and bool(_SPEAKS.search(value) or _NAMES_ONE.search(value))


def _decoded(value: bytes) -> list[bytes]:
    """The text that base64 hides; nothing when it hides none."""
    try:
        text = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return []
    return [text] if text.isascii() and text.decode().isprintable() else []


def _opinion(*, likely: bool, reason: str) -> CheckResult:
    return CheckResult(confidence=Confidence.MEDIUM if likely else Confidence.LOW, reason=reason)


def _is_chosen(found: Assignment, value: bytes, *, signs: bool) -> bool:
    """A signing secret that a person typed: one word that stands where only the secret can."""
    if found.quote and signs and not name_and_value.is_class_name(value):
        return len(value) >= _SHORTEST_PASSWORD
    if not _CHOSEN.search(found.name) or not value.isalnum() or len(value) < _SHORTEST_CHOSEN:
        return False
    return value.islower() or value.isupper()


def _looks_issued(value: bytes) -> bool:
    """Whether a machine made it: long, varied, and not words joined together."""
    if len(value) < _SHORTEST_TOKEN or b" " in value or is_made_of_words(value):
        return False
    if not _LETTER.search(value):
        return False
    if _PAIRED.match(value):
        return False
    letters = sum(len(word) for word in pieces(value) if word.isalpha() and len(word) >= _WORD)
    wordy = letters / len(value)
    if has_digit(value):
        return entropy(value) >= _VARIED and (wordy < _MOSTLY_WORDS or len(value) >= _LONG)
    if len(value) < _LONG_TOKEN or b"_" in value:
        return False
    return entropy(value) >= _VARIED_LETTERS and wordy < _RATHER_WORDS
