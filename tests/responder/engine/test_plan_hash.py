"""What an approval is bound to, and what references become."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.plan import PlannedStep, plan_hash
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import Call, Effect
from stanch.responder.engine.reference import known, resolve

STEP = PlannedStep(
    id="delete",
    phase=Phase.REVOKE,
    uses="aws.iam.delete_access_key",
    title="Delete the access key",
    effect=Effect.FINAL,
    params={"user": "ci"},
    calls=(Call(api="iam:DeleteAccessKey", arguments={"UserName": "ci"}),),
    undo=None,
    policy=None,
    after=("promote",),
    permissions=("iam:DeleteAccessKey",),
)
texts = st.text(max_size=12)
params = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3)
calls = st.lists(
    st.builds(
        lambda api, arguments: Call(api=api, arguments=arguments),
        texts,
        st.dictionaries(texts, texts, max_size=2),
    ),
    max_size=2,
).map(tuple)
bound = st.tuples(texts, texts, st.integers(0, 99), texts, texts, params, calls)


def digest(facts: tuple[str, str, int, str, str, JsonObject, tuple[Call, ...]]) -> str:
    fingerprint, runbook, version, name, uses, params, calls = facts
    step = replace(STEP, id=name, uses=uses, params=params, calls=calls)
    return plan_hash(fingerprint=fingerprint, runbook=runbook, version=version, step=step)


@given(bound, bound)
def test_two_plans_have_one_hash_only_when_they_are_the_same(
    one: tuple[str, str, int, str, str, JsonObject, tuple[Call, ...]],
    other: tuple[str, str, int, str, str, JsonObject, tuple[Call, ...]],
) -> None:
    # repr: True and 1 are equal in Python and different in a plan.
    same = _shape(one) == _shape(other)
    assert (digest(one) == digest(other)) is same


def _shape(facts: tuple[object, ...]) -> str:
    def ordered(value: object) -> object:
        if isinstance(value, dict):
            return sorted((key, repr(item)) for key, item in value.items())
        if isinstance(value, Call):
            return [value.api, sorted(value.arguments.items())]
        return [ordered(item) for item in value] if isinstance(value, tuple) else value

    return repr([ordered(fact) for fact in facts])


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"user": "root"}},
        {"params": None},
        {"calls": ()},
        {"calls": (*STEP.calls, *STEP.calls)},
        {"calls": (Call(api="iam:DeleteUser", arguments={"UserName": "ci"}),)},
        {"uses": "aws.iam.delete_user"},
        {"id": "other"},
    ],
)
def test_whatever_would_happen_differently_changes_the_hash(change: dict[str, object]) -> None:
    def of(step: PlannedStep) -> str:
        return plan_hash(fingerprint="v1:f", runbook="aws", version=1, step=step)

    assert of(replace(STEP, **change)) != of(STEP)  # type: ignore[arg-type]  # one field at a time


def test_how_a_step_is_called_does_not_change_the_hash() -> None:
    def of(step: PlannedStep) -> str:
        return plan_hash(fingerprint="v1:f", runbook="aws", version=1, step=step)

    assert of(replace(STEP, title="Another title")) == of(STEP)


OUTPUTS: dict[str, JsonObject] = {"owner": {"user": "ci", "keys": 2, "tags": ["a"]}}


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("plain", "plain"),
        (7, 7),
        ("${owner.user}", "ci"),
        ("${owner.keys}", 2),
        ("${owner.tags}", ["a"]),
        ("${owner.user}-${owner.keys}", "ci-2"),
        ("${owner.none}", "‹owner.none›"),
        ("x ${other.user}", "x ‹other.user›"),
        ("${Owner.user}", "${Owner.user}"),  # not a reference: ids are lower case
        ("${owner.user", "${owner.user"),
    ],
)
def test_references_become_what_the_step_found(written: str, resolved: object) -> None:
    assert resolve(written, OUTPUTS) == resolved
    assert known(written, OUTPUTS) is ("‹" not in str(resolved))


@given(texts)
def test_what_a_step_found_is_never_read_as_a_reference(found: str) -> None:
    outputs: dict[str, JsonObject] = {"a": {"b": found}, "owner": {"user": "ci"}}
    assert resolve("${a.b}", outputs) == found
    assert resolve("<${a.b}>", outputs) == f"<{found}>"
