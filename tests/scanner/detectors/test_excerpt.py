"""A finding shows its line up to the value, and never a value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.excerpt import MASK, excerpt
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

Scan = Callable[..., list[Match]]


@pytest.mark.parametrize(
    ("front", "behind", "shown"),
    [
        ("api_key = '", "'", f"api_key = '{MASK}'"),
        ('  "password": "', '", "user": "x"', f'"password": "{MASK}",'),
        ('{"type":"user","value":"', '"}', f'{{"type":"user","value":"{MASK}"}}'),
        ('{"type":"hunter2hunter2","value":"', '"', f'{{"type":{MASK},"value":"{MASK}"'),
        ("const k = f(", ");", f"const k = f({MASK});"),
        ("AWS_SECRET_ACCESS_KEY_2=", "", f"AWS_SECRET_ACCESS_KEY_2={MASK}"),
    ],
)
def test_the_line_is_shown_up_to_the_value(front: str, behind: str, shown: str) -> None:
    value = generate("{base62:30}", 1)
    data = b"first\n" + front.encode() + value + behind.encode() + b"\nlast"
    start = 6 + len(front)
    assert excerpt(data, start, start + len(value), []) == shown


def test_a_long_line_is_cut_in_front() -> None:
    data = b"x " * 500 + b"key=secretvalue"
    assert excerpt(data, len(data) - 11, len(data), []) == "…" + "x " * 28 + f"key={MASK}"


@settings(max_examples=150, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 500), min_size=2, max_size=4, unique=True),
    join=st.sampled_from([" ", ", ", '": "', "=", "&t=", "\t", "';'"]),
)
def test_no_value_of_the_line_is_in_any_excerpt(
    engine: Engine, seeds: list[int], join: str
) -> None:
    values = [generate("ghp_{base62:30}{crc32_base62}", seed).decode() for seed in seeds]
    data = f"tokens: {join.join(values)}\n".encode()
    matches = list(engine.scan(Fragment(data=data, provenance=InStream(path="a.yaml"))))
    assert matches
    for match in matches:
        assert MASK in match.finding.excerpt
        assert not any(value[4:12] in match.finding.excerpt for value in values)


def test_what_no_rule_names_is_masked_too_when_it_looks_like_a_token(scan: Scan) -> None:
    other = generate("{hex:40}", 3).decode()
    token = generate("ghp_{base62:30}{crc32_base62}", 5).decode()
    (match,) = scan(f"curl -H {other} {token}\n".encode())
    assert match.finding.excerpt == f"curl -H {MASK} {MASK}"


@pytest.mark.parametrize("kept", range(1, 24))
def test_no_end_of_a_token_is_left_where_the_line_is_cut(kept: int) -> None:
    other = generate("{letters:40}", 2)
    data = b"first\n" + other + b" " * (60 - kept - len("key=")) + b"key=secretvalue"
    shown = excerpt(data, len(data) - 11, len(data), [])
    assert shown == f"…key={MASK}"


@pytest.mark.parametrize(
    "line",
    [
        "postgres://u:{other}@h:5432/d?password={value}",
        "amqp://g:{other}@h//,amqp://g:{value}@h2//",
        "login('root', '{other}'); connect(password='{value}')",
        "| root | {other} | token={value} |",
        "the password is {other} and the token is {value}",
        "openssl enc -k {other} -pass pass:{value}",
    ],
)
def test_a_password_that_no_rule_has_found_is_not_shown_by_its_neighbour(line: str) -> None:
    other, value = generate("{letters:10}", 1), generate("{base62:30}", 2)
    data = line.encode().replace(b"{other}", other).replace(b"{value}", value)
    start = data.index(value)
    assert other.decode() not in excerpt(data, start, start + len(value), [])
