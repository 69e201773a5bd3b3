"""A secret cannot get out by accident; a fingerprint cannot be guessed."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.fingerprint import KEY_SIZE, FingerprintKey
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.waiver import Waiver, WaiverSource

VALUE = secrets.token_hex(12).encode()


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        lambda s: "%s" % s,  # noqa: UP031  # the old way would leak as easily
        lambda s: f"{[s]}",
    ],
)
def test_nothing_that_prints_shows_a_secret(show: Callable[[object], str]) -> None:
    shown = show(SecretValue(VALUE))
    assert VALUE.decode() not in shown
    assert "24 bytes" in shown


def test_logging_a_secret_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("found %s", SecretValue(VALUE))
    assert VALUE.decode() not in caplog.text


@pytest.mark.parametrize(
    "serialise", [pickle.dumps, json.dumps, lambda s: pickle.dumps([s], protocol=0)]
)
def test_a_secret_is_never_serialised(serialise: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        serialise(SecretValue(VALUE))
    assert VALUE.decode() not in str(caught.value)


def test_a_secret_is_no_key_of_a_table() -> None:
    with pytest.raises(TypeError):
        hash(SecretValue(VALUE))


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_secrets_are_equal_when_their_bytes_are(one: bytes, other: bytes) -> None:
    assert (SecretValue(one) == SecretValue(other)) is (one == other)
    assert SecretValue(one).reveal() == one
    assert len(SecretValue(one)) == len(one)


def test_a_secret_equals_nothing_but_a_secret() -> None:
    value: Any = VALUE
    assert SecretValue(VALUE) != value


def test_a_copy_is_the_same_secret() -> None:
    secret = SecretValue(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


@pytest.mark.parametrize("size", [0, KEY_SIZE - 1, KEY_SIZE + 1])
def test_a_fingerprint_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=str(KEY_SIZE)):
        FingerprintKey(SecretValue(bytes(size)))


@given(st.text(max_size=8), st.text(max_size=8), st.binary(max_size=16))
def test_a_fingerprint_belongs_to_provider_kind_value_and_key(
    provider: str, kind: str, value: bytes
) -> None:
    one, other = (FingerprintKey(SecretValue(bytes([n]) * KEY_SIZE)) for n in (1, 2))
    print_ = one.fingerprint(provider, kind, SecretValue(value))
    assert print_ == one.fingerprint(provider, kind, SecretValue(value))
    assert print_ != other.fingerprint(provider, kind, SecretValue(value))
    assert print_ != one.fingerprint(provider + "x", kind, SecretValue(value))
    assert print_ != one.fingerprint(provider, kind + "x", SecretValue(value))
    assert print_ != one.fingerprint(provider, kind, SecretValue(value + b"x"))
    assert print_.startswith("v1:")
    assert len(print_) == 35


def test_where_one_field_ends_and_the_next_begins_is_part_of_the_fingerprint() -> None:
    key = FingerprintKey(SecretValue(bytes(KEY_SIZE)))
    secret = SecretValue(VALUE)
    assert key.fingerprint("ab", "c", secret) != key.fingerprint("a", "bc", secret)


def test_confidence_is_ordered() -> None:
    assert [c.rank for c in (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)] == [0, 1, 2]


def test_a_waiver_that_does_not_count_hides_nothing() -> None:
    assert Waiver(source=WaiverSource.INLINE, reason="test value").hides
    assert not Waiver(source=WaiverSource.BASELINE, reason="old", void="expired").hides
