from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import NotAReference
from stanch.responder.lifecycle.model.reference import parse


def test_a_reference_is_written_as_it_was_read() -> None:
    found = parse("secret://payments/prod/stripe/api-key?version=previous")
    assert (found.service, found.environment) == ("payments", Environment.PRODUCTION)
    assert (found.tool, found.name, found.version) == ("stripe", "api-key", "previous")
    assert str(found) == "secret://payments/prod/stripe/api-key?version=previous"
    assert str(found.current) == "secret://payments/prod/stripe/api-key"
    assert parse("secret://a/dev/b/c?version=current") == parse("secret://a/dev/b/c")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("payments/prod/stripe/api-key", "begin with secret://"),
        ("secret://payments/prod/stripe", "3 parts, not 4"),
        ("secret://payments/prod/stripe/api/key", "5 parts, not 4"),
        ("secret://payments//stripe/api-key", "'' is no environment"),
        ("secret://payments/prod/stripe/", "'' is no name"),
        ("secret://Payments/prod/stripe/api-key", "'Payments' is no service"),
        ("secret://payments/prod/../api-key", "'..' is no tool"),
        ("secret://payments/qa/stripe/api-key", "'qa' is no environment"),
        ("secret://payments/prod/stripe/api-key?v=1", "'v=1' is not understood"),
        ("secret://payments/prod/stripe/api-key?version=", "'' is no version"),
        ("secret://payments/prod/stripe/api-key?version=a/b", "'a/b' is no version"),
        ("secret://payments/prod/stripe/api-key?version=pending", "not given"),
        ("secret://payments/prod/stripe/api-key\n", "printable"),
        ("secret://payments/prod/stripe/" + "a" * 600, "at most 512"),
    ],
)
def test_what_is_wrong_is_named(text: str, why: str) -> None:
    with pytest.raises(NotAReference) as caught:
        parse(text)
    assert why in str(caught.value)
    assert caught.value.remedy


def test_a_long_name_of_an_environment_gets_the_short_one_as_remedy() -> None:
    with pytest.raises(NotAReference) as caught:
        parse("secret://payments/production/stripe/api-key")
    assert caught.value.remedy == "write 'prod'"


def test_what_may_be_a_value_is_not_repeated() -> None:
    value = "sk_live_" + "x" * 20
    with pytest.raises(NotAReference) as caught:
        parse(value)
    assert value not in str(caught.value) + caught.value.remedy


@given(st.text(max_size=80))
def test_anything_is_either_a_reference_or_refused(text: str) -> None:
    try:
        found = parse("secret://" + text)
    except NotAReference:
        return
    assert parse(str(found)) == found
