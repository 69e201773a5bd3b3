"""Values that stand where a secret would stand: examples, masks, sequences, repetitions."""

from __future__ import annotations

import re

from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.entropy import entropy

#: In lower case, and each begins with a certain byte: the matcher then skips what cannot begin one.
_WORDS = regex(
    rb"example|sample|changeme|change[-_]?(?:me|this|it)|placeholder|dummy|redacted|replace[-_]?"
    rb"(?:me|this|with)|insert[-_]?|your[-_]?|fake|foo[-_]?bar|notreal|not[-_]real|todo|fixme|"
    rb"deadbeef|lorem|ipsum|xxxx|\*\*\*|\.\.\.|____|####|----|\xe2\x80\xa6|\xe2\x80\xa2"
)
_MINE = regex(rb"(?:^|[-_])my[-_]")
#: What a value says of itself that was put there instead of a token.
_SAYS_SO = regex(
    rb"(?i)example|placeholder|redacted|change[-_]?me|your[-_]|\xe2\x80[\xa2\xa6]|\*{3}|\.{3}"
)
_FILLER = regex(rb"(.)\1{3,}", re.DOTALL)
_PART = regex(rb"[^-_.:/$]+")
_LONG_RUN = regex(rb"([^A])\1{15}", re.DOTALL)  # base64 of zero bytes is a run of A
_WHOLE_PART = 8
_RUN = regex(rb"(.)\1{7}", re.DOTALL)
_PERIOD = regex(rb"(.{2,10}?)\1{3}", re.DOTALL)
_ORDER = (
    b"abcdefghijklmnopqrstuvwxyz",
    b"zyxwvutsrqponmlkjihgfedcba",
    b"01234567890123456789",
    b"98765432109876543210",
    b"0123456789abcdef0123456789abcdef",
    b"1234567890abcdef1234567890abcdef",
    b"aabbccddeeffgghhiijjkkllmmnnoopp",
    b"00112233445566778899aabbccddeeff",
    b"qwertyuiopasdfghjklzxcvbnm",
    b"a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0",
)
_DIGIT = regex(rb"[0-9]")
_STEP = 8
#: Every step that a walk along one of them can take.
_STEPS = frozenset(
    order[at : at + _STEP] for order in _ORDER for at in range(len(order) - _STEP + 1)
)
_LOOKED_AT = 128
_FEW = 2.2
_DRAWN = 3.5


def has_digit(value: bytes) -> bool:
    """Whether there is an ASCII digit in it."""
    return _DIGIT.search(value) is not None


def is_placeholder(value: bytes) -> bool:
    """Whether a token's body was made up by a person rather than issued by a machine."""
    lower = value.lower()
    if any(not _by_chance(value, word) for word in _WORDS.finditer(lower)):
        return True
    return _MINE.search(lower) is not None or is_regular(value)


def _by_chance(value: bytes, word: re.Match[bytes]) -> bool:
    """Whether letters that spell a word stand within a long run that was drawn by lot."""
    front, behind = value[: word.start()], value[word.end() :]
    if min(len(front), len(behind)) < _STEP or not word[0].isalpha():
        return False
    rest = front[-_LOOKED_AT:] + behind[:_LOOKED_AT]
    glued = front[-1:].isalnum() and behind[:1].isalnum()
    return glued and has_digit(front) and has_digit(behind) and entropy(rest) >= _DRAWN


def is_mask(value: bytes) -> bool:
    """Whether the value says itself that it is none: EXAMPLE, much filler, a part of nothing else.

    A token of which a few characters were crossed out is none.
    """
    if _SAYS_SO.search(value) or _LONG_RUN.search(value):
        return True
    if any(len(part) >= _WHOLE_PART and len(set(part)) == 1 for part in _PART.findall(value)):
        return True
    return 2 * sum(len(run[0]) for run in _FILLER.finditer(value)) >= len(value)


def is_regular(value: bytes) -> bool:
    """Repetition, a sequence from the alphabet or keyboard, or hardly any variety.

    The first bytes of a long value decide, so that the work stays small.
    """
    value = value[:_LOOKED_AT]
    if _RUN.search(value) or (len(value) >= _STEP and _PERIOD.fullmatch(value[: 4 * _STEP])):
        return True
    if _in_sequence(value.lower()):
        return True
    if len(value) < 2 * _STEP:
        return False
    return entropy(value) < _FEW or value.count(b"A") * 5 > len(value) * 2  # base64 of zero bytes


def _in_sequence(lower: bytes) -> bool:
    """Whether at least half of ``lower`` is a walk along a well-known sequence."""
    covered = 0
    at = 0
    while at + _STEP <= len(lower):
        if lower[at : at + _STEP] in _STEPS:
            covered += _STEP
            at += _STEP
        else:
            at += 1
    return covered * 2 >= len(lower) > 0 and covered > 0
