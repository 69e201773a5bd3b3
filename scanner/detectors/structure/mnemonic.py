"""Recovery phrases of wallets: words of one list whose last bits are a checksum of the others.

The scheme: <https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki>. Who has the words has
all keys of the wallet.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.text.doubt import doubtful
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

#: How many words a phrase may have, the longest first.
SIZES = (24, 21, 18, 15, 12)
_WORD = regex(rb"[a-z]{3,8}")
_BITS = 11
_FEW = 2  # `test test … junk`, `abandon abandon … about`: everybody's


def check_mnemonic(candidate: Candidate) -> CheckResult:
    """Moves the candidate to the words that are a phrase; others in front of them are no part."""
    places = [(m.start(), m.end()) for m in _WORD.finditer(candidate.value)]
    words = [candidate.value[start:end].decode() for start, end in places]
    phrase = _phrase(words)
    if phrase is None:
        return NOT_THIS
    first, size = phrase
    base = candidate.start
    candidate.start = base + places[first][0]
    candidate.end = base + places[first + size - 1][1]
    chosen = words[first : first + size]
    if len(set(chosen)) * _FEW <= size:
        return CheckResult(confidence=Confidence.LOW, reason="placeholder")
    if not is_phrase(chosen):
        return doubtful(candidate, "checksum failed")
    return CheckResult(confidence=Confidence.HIGH, reason="keyword+checksum")


def phrase_of(entropy: bytes) -> list[str]:
    """The words for 16 to 32 random bytes."""
    words = list(numbers())
    check = hashlib.sha256(entropy).digest()[0] >> 8 - len(entropy) // 4
    number = int.from_bytes(entropy, "big") << len(entropy) // 4 | check
    count = len(entropy) * 3 // 4
    return [words[number >> _BITS * at & 2047] for at in range(count - 1, -1, -1)]


def is_phrase(words: list[str]) -> bool:
    """Whether the words are on the list and their checksum holds."""
    known = numbers()
    number = 0
    for word in words:
        if word not in known:
            return False
        number = number << _BITS | known[word]
    checked = len(words) // 3
    entropy = (number >> checked).to_bytes(len(words) * 4 // 3, "big")
    return hashlib.sha256(entropy).digest()[0] >> 8 - checked == number & (1 << checked) - 1


@cache
def numbers() -> dict[str, int]:
    """Each word of the English list, with its number, in order."""
    text = Path(__file__).with_name("mnemonic.json").read_text()
    return {word: at for at, word in enumerate(" ".join(json.loads(text)["words"]).split())}


def _phrase(words: list[str]) -> tuple[int, int] | None:
    """Where a phrase begins and how long it is: the longest that holds, else the longest at all."""
    known = numbers()
    listed = [word in known for word in words]
    possible = [
        (first, size)
        for size in SIZES
        for first in range(len(words) - size + 1)
        if all(listed[first : first + size]) and not _in_order(words[first : first + size])
    ]
    good = (each for each in possible if is_phrase(words[each[0] : each[0] + each[1]]))
    return next(good, possible[0] if possible else None)


def _in_order(words: list[str]) -> bool:
    """A stretch of the list itself, not drawn from it."""
    return words == sorted(words) and len(set(words)) == len(words)
