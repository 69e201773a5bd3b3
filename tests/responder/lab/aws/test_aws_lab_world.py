from __future__ import annotations

import json
from collections.abc import Callable

from stanch.responder.lab.aws import ALIVE, Credentials, World

Refusal = Callable[[Callable[[], object]], tuple[str, str]]


def _put(world: World, value: str, token: str) -> dict[str, object]:
    secrets = world.lab.client("secretsmanager")
    return dict(
        secrets.put_secret_value(
            SecretId=world.secret_name, SecretString=value, ClientRequestToken=token
        )
    )


def _held(key: Credentials) -> str:
    return json.dumps({"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret})


def test_a_version_id_is_not_used_for_another_value(world: World, refusal: Refusal) -> None:
    token = "0" * 32
    _put(world, "first", token)
    assert refusal(lambda: _put(world, "second", token))[0] == "ResourceExistsException"


def test_a_version_id_with_the_same_value_is_a_retry(world: World) -> None:
    token = "0" * 32
    first, again = _put(world, "first", token), _put(world, "first", token)
    assert first["VersionId"] == again["VersionId"] == token
    found = world.lab.client("secretsmanager").list_secret_version_ids(SecretId=world.secret_name)
    assert [version["VersionId"] for version in found["Versions"]].count(token) == 1


def test_the_world_names_owner_and_secret_of_the_leaked_key(world: World) -> None:
    found = world.lab.client("iam").list_user_tags(UserName=world.user)["Tags"]
    tags = {tag["Key"]: tag["Value"] for tag in found}
    assert tags["owner"] == world.owner
    assert tags["stanch:secret"] == world.secret_name
    assert world.consumer.key() == world.leaked


def test_the_consumer_works_and_the_attacker_gets_in(world: World) -> None:
    assert world.consumer.work() == ALIVE
    found = world.attacker.intrude()
    assert found["sts:GetCallerIdentity"] == found["s3:ListBuckets"] == ALIVE
    assert found["iam:CreateUser"] == found["iam:CreateAccessKey"] == "AccessDenied"
    assert world.attacker.try_key() == world.attacker.try_session() == ALIVE


def test_rotation_keeps_the_consumer_and_locks_the_attacker_out(
    world: World, new_key: Callable[[str], Credentials]
) -> None:
    _put(world, _held(new_key(world.user)), "1" * 32)
    world.lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id, Status="Inactive"
    )
    assert world.consumer.work() == ALIVE
    assert world.attacker.try_key() == "InvalidAccessKeyId"


def test_disabling_without_rotation_breaks_the_consumer(world: World) -> None:
    world.lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id, Status="Inactive"
    )
    assert world.consumer.work() == "InvalidAccessKeyId"


def test_an_attacker_without_a_session_says_so(world: World) -> None:
    assert world.attacker.try_session() == "NoSession"


def test_no_repr_shows_a_secret(world: World) -> None:
    world.attacker.mint()
    shown = repr(world)
    assert world.leaked.secret not in shown
    assert world.lab.admin.secret not in shown
