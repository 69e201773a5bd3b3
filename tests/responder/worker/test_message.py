"""What a broker may say to us: one id, or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.worker.message import NotAnId, decode, encode

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


def carries_one_id_at_most(body: object) -> bool:
    args, kwargs, embed = body  # type: ignore[misc]  # what passed the guard has three parts
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


@settings(max_examples=4000, deadline=None)
@given(NEARLY)
def test_a_forged_body_is_one_id_or_refused(body: object) -> None:
    passes(json.dumps(body))


@settings(max_examples=3000, deadline=None)
@given(JSON)
def test_any_json_is_one_id_or_refused(body: object) -> None:
    passes(json.dumps(body))


@settings(max_examples=3000, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_one_id_or_refused(raw: bytes) -> None:
    passes(raw)


@pytest.mark.parametrize("raw", ["[" * 200_000, "1" * 10_000, "", "null", '[["x"],{},{}', "NaN"])
def test_what_breaks_parsers_is_refused(raw: str) -> None:
    with pytest.raises(NotAnId):
        decode(raw)


@pytest.mark.parametrize("secret", ["a b", "x" * 41, "pass_word!", "id\n", 7, None, ["id"]])
def test_what_is_not_an_id_is_never_written(secret: object) -> None:
    with pytest.raises(NotAnId) as refusal:
        encode(([secret], {}, {}))
    assert str(secret) not in str(refusal.value)


def test_what_is_written_can_be_read() -> None:
    assert decode(encode((["LK-7"], {}, {"chain": None}))) == [["LK-7"], {}, {"chain": None}]
