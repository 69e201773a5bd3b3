from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.anomaly.sample import Sample, rank_of
from stanch.scanner.anomaly.survey import MOST_KINDS, Oddity, Survey
from stanch.scanner.anomaly.suspect import MOST_COMPANY, suspects_of
from stanch.scanner.anomaly.token import LONGEST, is_suspicious, tokens
from stanch.scanner.api import (
    Confidence,
    Finding,
    FingerprintKey,
    Fragment,
    InWorktree,
    SecretValue,
)

Draw = Callable[..., str]
Code = Callable[..., str]
Piece = Callable[[str, str], Fragment]


def _survey(key: FingerprintKey, learned: Iterable[Fragment]) -> Survey:
    survey = Survey(key)
    for each in learned:
        survey.learn(each)
    return survey


def _odd(survey: Survey, judged: Fragment) -> list[Oddity]:
    suspects = suspects_of(judged)
    return [] if suspects is None else list(survey.judge(suspects))


def _findings(survey: Survey, judged: Iterable[Fragment]) -> list[Finding]:
    return [odd.match.finding for each in judged for odd in _odd(survey, each)]


@pytest.fixture
def calm(code: Code, fragment: Piece) -> list[Fragment]:
    return [fragment(f"app/part{number}.py", code(number)) for number in range(20)]


def test_code_as_people_write_it_holds_no_surprise(
    key: FingerprintKey, calm: list[Fragment]
) -> None:
    assert _findings(_survey(key, calm), calm) == []


@pytest.mark.parametrize("shape", [("base62", 20), ("base62", 40), ("base64", 40), ("base36", 32)])
def test_a_random_string_in_a_configuration_module_is_a_surprise(
    key: FingerprintKey,
    calm: list[Fragment],
    draw: Draw,
    code: Code,
    fragment: Piece,
    shape: tuple[str, int],
) -> None:
    letters, size = shape
    value = draw(1, letters, size)
    config = fragment("app/config.py", f'{code(90, 9)}x = "{value}"\n')
    (odd,) = _odd(_survey(key, [*calm, config]), config)
    finding = odd.match.finding
    assert (finding.rule, finding.kind, finding.provider) == (
        "anomaly-string",
        "anomaly",
        "generic",
    )
    assert (finding.span.line, finding.span.column, finding.span.end_column) == (10, 6, 6 + size)
    assert finding.confidence is Confidence.MEDIUM
    assert odd.match.parts["value"].reveal() == value.encode()


def test_the_same_string_is_normal_in_a_lock_file(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, code: Code, fragment: Piece
) -> None:
    line = '    "integrity": "{}",\n'
    value = draw(1)
    lock = fragment("app/web-lock.json", "".join(line.format(draw(n)) for n in range(1, 60)))
    config = fragment("app/config.py", f'{code(90)}x = "{value}"\n')
    survey = _survey(key, [*calm, lock, config])
    assert _findings(survey, [lock]) == []
    assert [each.path for each in _findings(survey, [config])] == ["app/config.py"]


def test_one_stranger_in_a_file_is_news_and_the_hundredth_is_not(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, code: Code, fragment: Piece
) -> None:
    vectors = "".join(f'    "{draw(n)}",\n' for n in range(100))
    table = fragment("app/vectors.py", code(7) + vectors)
    assert _findings(_survey(key, [*calm, table]), [table]) == []


@pytest.mark.parametrize("form", ['    "{}"\n', "# {}\n", "{}\n"])
def test_data_over_several_lines_is_no_surprise(
    key: FingerprintKey,
    calm: list[Fragment],
    draw: Draw,
    code: Code,
    fragment: Piece,
    form: str,
) -> None:
    image = "".join(form.format(draw(number, "base64", 64)) for number in range(4))
    icon = fragment("app/icon.py", f"{code(3)}{image}{code(4)}")
    assert _findings(_survey(key, [*calm, icon]), [icon]) == []


def test_values_with_names_are_no_block(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, code: Code, fragment: Piece
) -> None:
    named = "".join(f"x{number} = '{draw(number)}'\n" for number in range(4))
    config = fragment("app/config.py", code(3) + named)
    assert len(_findings(_survey(key, [*calm, config]), [config])) == 4


def test_what_stands_in_many_files_is_a_part_of_them(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, code: Code, fragment: Piece
) -> None:
    line = f'x = "{draw(1)}"\n'
    pages = [fragment(f"app/page{number}.py", code(number) + line) for number in range(40)]
    survey = _survey(key, [*calm, *pages])
    assert _findings(survey, pages) == []


def test_a_digest_is_never_more_than_a_hint(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, code: Code, fragment: Piece
) -> None:
    pinned = fragment("app/pin.py", f'{code(3)}commit = "{draw(5, "hex", 40)}"\n')
    found = _findings(_survey(key, [*calm, pinned]), [pinned])
    assert [each.confidence for each in found] == [Confidence.LOW]


def test_a_uuid_and_a_hexadecimal_number_are_no_suspects(draw: Draw) -> None:
    digits = draw(2, "hex", 32)
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    assert not is_suspicious(uuid.encode())
    assert not is_suspicious(b"0x" + digits.encode())
    assert is_suspicious(draw(2).encode())


def test_the_evidence_shows_nothing_of_the_value(
    key: FingerprintKey, calm: list[Fragment], draw: Draw, fragment: Piece
) -> None:
    value = draw(8)
    config = fragment("app/config.py", f'x = "{value}"\n')
    suspects = suspects_of(config)
    (odd,) = _odd(_survey(key, [*calm, config]), config)
    shown = repr((odd, suspects)) + odd.match.finding.preview
    assert not any(value[at : at + 5] in shown for at in range(len(value) - 5))
    assert odd.match.finding.preview == "<40 bytes>"
    assert "deviations above what is usual in py files" in odd.match.finding.reason


def test_a_window_reports_only_what_it_owns(
    key: FingerprintKey, calm: list[Fragment], draw: Draw
) -> None:
    data = f"{draw(1)} {draw(2)}\n{draw(3)}\n".encode()
    window = Fragment(
        data=data,
        provenance=InWorktree(path="app/big.py"),
        first_line=7,
        first_column=100,
        owned=((7, 120), (8, 1)),
    )
    survey = _survey(key, [*calm, window])
    (odd,) = _odd(survey, window)
    assert odd.match.parts["value"].reveal() == draw(2).encode()
    assert (odd.match.finding.span.line, odd.match.finding.span.column) == (7, 141)


def test_too_little_to_compare_with_means_no_judgement(
    key: FingerprintKey, draw: Draw, fragment: Piece
) -> None:
    only = fragment("config.py", f'x = "{draw(1)}"\n')
    assert _findings(_survey(key, [only]), [only]) == []


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_order_of_learning_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # an order
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789"
    pieces = [
        Fragment(
            data="\n".join(
                "".join(chance.choices(alphabet[: chance.choice((26, 42))], k=20))
                for _ in range(12)
            ).encode(),
            provenance=InWorktree(path=f"a/{number}.{chance.choice(('py', 'js', 'lock'))}"),
        )
        for number in range(12)
    ]
    secret = FingerprintKey(SecretValue(bytes(32)))
    first = _findings(_survey(secret, pieces), pieces)
    other = list(pieces)
    chance.shuffle(other)
    assert _findings(_survey(secret, other), pieces) == first


@given(tokens=st.lists(st.binary(min_size=1, max_size=4), max_size=80), seed=st.integers(0, 99))
def test_a_sample_is_the_same_in_any_order_and_never_larger(tokens: list[bytes], seed: int) -> None:
    one, other = Sample(10), Sample(10)
    for each in tokens:
        one.add(each, rank_of(each))
    random.Random(seed).shuffle(tokens)  # noqa: S311  # an order
    for each in tokens:
        other.add(each, rank_of(each))
    assert one.ranked() == other.ranked()
    assert len(one) == min(10, len(set(tokens)))


@given(data=st.binary(max_size=2000))
def test_any_bytes_give_tokens_that_stand_where_they_say(data: bytes) -> None:
    for start, token in tokens(data):
        assert data[start : start + len(token)] == token
        assert 16 <= len(token) <= LONGEST


def test_memory_is_bounded_whatever_the_tree_holds(
    key: FingerprintKey, draw: Draw, fragment: Piece
) -> None:
    survey = Survey(key)
    for number in range(MOST_KINDS + 50):
        text = " ".join(draw(number * 100 + n, "base62", 24) for n in range(20))
        survey.learn(fragment(f"f.x{number}", text))
    assert len(survey._samples) <= MOST_KINDS + 1
    crowd = fragment("f.py", " ".join(draw(n) for n in range(3000)))
    survey.learn(crowd)
    assert len(survey._samples[next(iter(survey._samples))]) <= 768
    assert len(survey._all) <= 8192


@pytest.mark.parametrize(
    "data",
    [b"a" * 900_000, b"a1" * 400_000, b"\0" * 1000, b"\xff\xfe" * 999, b"+/" * 300_000, b""],
)
def test_hostile_content_is_neither_slow_nor_a_surprise(
    key: FingerprintKey, calm: list[Fragment], data: bytes
) -> None:
    hostile = Fragment(data=data, provenance=InWorktree(path="x\n\0/../" + "y" * 5000))
    assert _findings(_survey(key, [*calm, hostile]), [hostile]) == []


def test_a_crowd_of_tokens_is_not_judged_one_by_one(draw: Draw, fragment: Piece) -> None:
    crowd = "\n".join(draw(number, "base62", 24) for number in range(MOST_COMPANY + 20))
    assert suspects_of(fragment("tokens.py", crowd)) is None
