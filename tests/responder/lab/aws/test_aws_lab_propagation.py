from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from stanch.responder.lab.aws import ALIVE, Credentials, World, seed
from stanch.responder.lab.aws.lab import AwsLab

_LONG = timedelta(minutes=10)  # longer than any test: nothing settles by itself
_DENY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
)


def _disable(world: World) -> None:
    world.lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id, Status="Inactive"
    )


def _delete(world: World) -> None:
    world.lab.client("iam").delete_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id
    )


def _deny_inline(world: World) -> None:
    world.lab.client("iam").put_user_policy(
        UserName=world.user, PolicyName="deny", PolicyDocument=_DENY
    )


def _deny_attached(world: World) -> None:
    iam = world.lab.client("iam")
    made = iam.create_policy(PolicyName="deny", PolicyDocument=_DENY)["Policy"]
    iam.attach_user_policy(UserName=world.user, PolicyArn=made["Arn"])


@pytest.mark.parametrize(
    ("act", "in_the_end"),
    [
        (_disable, "InvalidAccessKeyId"),
        (_delete, "InvalidAccessKeyId"),
        (_deny_inline, "AccessDenied"),
        (_deny_attached, "AccessDenied"),
    ],
)
def test_a_change_reaches_decisions_only_after_the_delay(
    world: World, act: Callable[[World], None], in_the_end: str
) -> None:
    world.lab.set_propagation(_LONG)
    act(world)
    assert world.attacker.try_key() == ALIVE
    world.lab.set_propagation(timedelta(0))
    assert world.attacker.try_key() == in_the_end


def test_reads_show_a_change_at_once(world: World) -> None:
    world.lab.set_propagation(_LONG)
    _disable(world)
    _deny_inline(world)
    iam = world.lab.client("iam")
    keys = iam.list_access_keys(UserName=world.user)["AccessKeyMetadata"]
    assert [key["Status"] for key in keys] == ["Inactive"]
    assert iam.list_user_policies(UserName=world.user)["PolicyNames"] == ["work", "deny"]


def test_a_deny_that_is_taken_back_stays_in_force_for_the_delay(world: World) -> None:
    _deny_inline(world)
    world.lab.set_propagation(_LONG)
    world.lab.client("iam").delete_user_policy(UserName=world.user, PolicyName="deny")
    assert world.attacker.try_key() == "AccessDenied"
    world.lab.set_propagation(timedelta(0))
    assert world.attacker.try_key() == ALIVE


def test_a_new_key_does_not_work_before_the_delay(
    world: World, new_key: Callable[[str], Credentials]
) -> None:
    world.lab.set_propagation(_LONG)
    world.attacker.leaked = new_key(world.user)
    assert world.attacker.try_key() == "InvalidAccessKeyId"
    world.lab.set_propagation(timedelta(0))
    assert world.attacker.try_key() == ALIVE


def test_a_dead_key_that_still_works_can_still_mint_a_session(world: World) -> None:
    world.lab.set_propagation(_LONG)
    _disable(world)
    world.attacker.mint()
    assert world.attacker.try_session() == ALIVE


def test_each_change_waits_its_own_turn(world: World) -> None:
    world.lab.set_propagation(timedelta(milliseconds=400))
    _disable(world)
    while world.attacker.try_key() == ALIVE:
        time.sleep(0.02)
    assert world.attacker.try_key() == "InvalidAccessKeyId"


def test_a_refused_change_delays_nothing(world: World) -> None:
    world.lab.set_propagation(_LONG)
    with pytest.raises(Exception, match="NoSuchEntity"):
        world.lab.client("iam").put_user_policy(
            UserName="nobody", PolicyName="deny", PolicyDocument=_DENY
        )
    assert world.attacker.try_key() == ALIVE


def test_a_seeded_world_is_in_force_at_once_and_keeps_the_delay(lab: AwsLab) -> None:
    lab.set_propagation(_LONG)
    world = seed(lab)
    assert world.consumer.work() == ALIVE
    assert lab.propagation() == _LONG
