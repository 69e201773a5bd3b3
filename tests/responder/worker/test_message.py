"""What a broker may say to us: one id, or nothing."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu import compression

from stanch.responder.worker.message import NotAnId, decode, encode, install

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
NEARLY = st.tuples(
    st.lists(JSON | st.from_regex(r"[0-9A-Za-z-]{1,40}\n?", fullmatch=True), max_size=2),
    st.just({}) | st.dictionaries(st.text(max_size=4), JSON, max_size=1),
    st.dictionaries(st.sampled_from(("callbacks", "chain", "chord")), st.none() | JSON),
)


def carries_one_id_at_most(body: Any) -> bool:
    args, kwargs, embed = body
    return (
        len(args) <= 1
        and all(isinstance(a, str) and a.isascii() and len(a) <= 40 for a in args)
        and all(c.isalnum() or c == "-" for a in args for c in a)
        and kwargs == {}
        and all(value is None for value in embed.values())
    )


def passes(raw: bytes | str) -> None:
    try:
        body = decode(raw)
    except NotAnId:
        return
    assert carries_one_id_at_most(body)


@settings(max_examples=300, deadline=None)
@given(NEARLY | JSON)
def test_a_forged_body_is_one_id_or_refused(body: object) -> None:
    passes(json.dumps(body))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_one_id_or_refused(raw: bytes) -> None:
    passes(raw)


def test_of_ten_thousand_forgeries_none_carries_more_than_an_id() -> None:
    """Genuine messages, damaged: closer to the border than what chance alone would write."""
    chance = Random(20_261_122)  # noqa: S311  # repeatable, and no secret
    genuine = encode((["01JABCDEFGHJKMNPQRSTVWXYZ0"], {}, {"callbacks": None, "chain": None}))
    pieces = (
        '"',
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "1e999",
        "\\u0000",
        "\n",
        "é",
        "x" * 41,
        "[]",
    )
    for _ in range(10_000):
        text = genuine
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(text) + 1)
            end = min(len(text), start + chance.choice((0, 0, 1, 2, 9)))
            text = text[:start] + chance.choice(pieces) + text[end:]
        passes(text)


@pytest.mark.parametrize("raw", ["[" * 200_000, "1" * 10_000, "", "null", '[["x"],{},{}', "NaN"])
def test_what_breaks_parsers_is_refused(raw: str) -> None:
    with pytest.raises(NotAnId):
        decode(raw)


@pytest.mark.parametrize("secret", ["a b", "x" * 41, "pass_word!", "id\n", 7, None, ["id"]])
def test_what_is_not_an_id_is_never_written(secret: object) -> None:
    with pytest.raises(NotAnId) as refusal:
        encode(([secret], {}, {}))
    assert str(secret) not in str(refusal.value)


def test_nothing_is_unpacked() -> None:
    install()
    for kind in compression.encoders():
        with pytest.raises(NotAnId):
            compression.decompress(b"anything", kind)


def test_what_is_written_can_be_read() -> None:
    assert decode(encode((["LK-7"], {}, {"chain": None}))) == [["LK-7"], {}, {"chain": None}]
