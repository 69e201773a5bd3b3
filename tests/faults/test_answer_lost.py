"""What AWS does to us: answers that never arrive, requests that never got there, throttling."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.responder.domain.incident import IncidentState
from stanch.responder.lab.proof import ACTS, acts

pytestmark = pytest.mark.xdist_group("killed-1")
APIS = sorted({api for api, _ in ACTS})
CREATE = "iam:CreateAccessKey"  # its answer cannot be asked for again


@pytest.mark.parametrize("api", [api for api in APIS if api != CREATE])
def test_an_act_whose_answer_is_lost_is_seen_and_not_repeated(case: Any, api: str) -> None:
    case.world.lab.fault(api, "lost-answer")
    assert case.finish() == 0
    case.assert_proven()


def test_a_key_whose_secret_was_lost_with_the_answer_is_removed_before_another_is_made(
    case: Any,
) -> None:
    case.world.lab.fault(CREATE, "lost-answer")
    assert case.finish() == 0
    assert {s.id: (s.error, s.remedy) for s in case.steps.values() if s.error} == {}
    counted = acts(case.world.lab, since=case.since)
    # Nobody can use the first: AWS shows a key's secret once. So it is taken out of the world.
    assert counted.pop(CREATE) == 2
    assert counted.pop("iam:DeleteAccessKey") == 2
    assert set(counted.values()) == {1}
    left = case.world.lab.client("iam").list_access_keys(UserName=case.world.user)
    assert [k["AccessKeyId"] for k in left["AccessKeyMetadata"]] == [
        case.world.consumer.key().access_key_id
    ]
    assert case.found.state is IncidentState.PROVEN_DEAD


@pytest.mark.parametrize("mode", ["lost-request", "throttle", "error"])
def test_acts_that_did_not_get_through_are_tried_again_until_each_is_done_once(
    case: Any, mode: str
) -> None:
    for api in APIS:
        case.world.lab.fault(api, mode)
    assert case.finish() == 0
    case.assert_proven()
