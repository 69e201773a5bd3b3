"""Recovery phrases: twelve or more words of one list, with a checksum."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.structure.mnemonic import SIZES, is_phrase, numbers, phrase_of
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]

#: From the scheme's own test vectors: what 16 and 32 bytes of 0x7f are written as.
VECTOR = "legal winner thank year wave sausage worth useful"


def words(size: int, seed: int = 1) -> list[str]:
    return phrase_of(random.Random(seed).randbytes(size * 4 // 3))  # noqa: S311  # repeatable


def test_the_list_is_the_one_of_the_scheme() -> None:
    digest = hashlib.sha256("".join(f"{word}\n" for word in numbers()).encode()).hexdigest()
    assert digest.startswith("2f5eed53a4727b4b")
    assert len(numbers()) == 2048


def test_the_vectors_of_the_scheme_hold() -> None:
    assert phrase_of(b"\x7f" * 16)[:8] == VECTOR.split()
    assert phrase_of(b"\x7f" * 16)[-1] == "yellow"
    assert phrase_of(b"\x7f" * 32)[-1] == "title"


@pytest.mark.parametrize("size", SIZES)
def test_a_phrase_of_every_length_is_found_whole(scan: Scan, size: int) -> None:
    phrase = " ".join(words(size))
    (match,) = scan(f'mnemonic = "{phrase}"'.encode(), "hardhat.config.js")
    assert match.parts["value"].reveal() == phrase.encode()
    assert match.finding.confidence is Confidence.HIGH


def test_a_phrase_is_found_in_a_list_and_over_lines(scan: Scan) -> None:
    quoted = '", "'.join(words(12))
    (match,) = scan(f'{{"mnemonic": ["{quoted}"]}}'.encode(), "wallet.json")
    assert match.parts["value"].reveal() == quoted.encode()
    assert len(scan(("wallet backup:\n" + "\n".join(words(24))).encode(), "notes.txt")) == 1


def test_words_in_front_are_no_part_of_the_phrase(scan: Scan) -> None:
    phrase = " ".join(words(12))
    (match,) = scan(f"my wallet seed phrase {phrase}".encode(), "notes.txt")
    assert match.parts["value"].reveal() == phrase.encode()


def test_a_wrong_checksum_is_doubtful_and_prose_is_nothing(scan: Scan) -> None:
    wrong = words(24)
    wrong[0], wrong[1] = wrong[1], wrong[0]
    assert not is_phrase(wrong)
    (match,) = scan(("mnemonic: " + " ".join(wrong)).encode(), "app.env")
    assert match.finding.reason == "checksum failed"
    prose = b"wallet: every coin that people have bought stays with them until they sell some more"
    assert scan(prose, "notes.txt") == []


def test_the_list_itself_is_no_phrase(scan: Scan) -> None:
    assert scan(("bip39 " + " ".join(numbers())).encode(), "words.txt") == []


def test_the_phrase_that_everybody_tests_with_is_only_low(scan: Scan) -> None:
    (match,) = scan(b"mnemonic: " + b"test " * 11 + b"junk", "hardhat.config.js")
    assert match.finding.confidence is Confidence.LOW
