"""From a leaked key in a repository to a proven-dead key, and back again, as a user does it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from stanch.responder.domain.incident import IncidentState
from stanch.responder.lab.proof import acts

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
REASON = ("--yes", "--reason", "The replacement works.")


def test_a_leaked_key_is_contained_replaced_deleted_and_proven_dead(desk: Any) -> None:
    desk.stanch("respond", "payments", "--as", "alice")
    assert desk.world.attacker.try_key() == "InvalidAccessKeyId"
    assert desk.world.attacker.try_session() == "AccessDenied"
    assert desk.world.consumer.work() == "alive"  # the replacement, without a gap

    said = desk.stanch("approve", "LK-1", "--as", "alice", *REASON, code=2)
    assert "cannot also give it" in said
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON)
    done = acts(desk.world.lab, since=desk.since)
    assert {name for name, times in done.items() if times != 1} <= {"iam:PutRolePolicy"}
    assert done.get("iam:PutRolePolicy", 0) == 0  # nobody had assumed a role
    assert keys(desk) == {desk.world.consumer.key().access_key_id: "Active"}
    assert desk.world.attacker.try_session() == "AccessDenied"

    close = ("close", "LK-1", "--as", "bob", "--reason", "Dead, and its consumer works.")
    assert "have no owner" in desk.stanch(*close, code=2)
    desk.stanch(*close, "--owner", "use-a-role=dana", "--owner", "alice")
    desk.stanch("postmortem", "LK-1")
    assert "owner: dana" in (desk.folder / "postmortems" / "LK-1.md").read_text()
    assert (desk.folder / "postmortems" / "LK-1.html").stat().st_size > 0
    assert "sound" in desk.stanch("audit", "verify")
    with desk.house() as house, house.store.transaction() as tx:
        assert tx.incidents.get(1).state is IncidentState.CLOSED

    # Nothing is left to do, and asking again does nothing.
    before = desk.world.lab.calls()[-1]["seq"]
    desk.stanch("respond", "payments", "--as", "alice")
    assert set(acts(desk.world.lab, since=before).values()) == {0}
    desk.stanch("undo", "LK-1", "--yes", "--as", "alice", code=2)


def test_undo_gives_everything_back_as_it_was(desk: Any) -> None:
    world = desk.world
    versions = stages(desk)
    policies = world.lab.client("iam").list_user_policies(UserName=world.user)["PolicyNames"]
    desk.stanch("respond", "payments", "--as", "alice")
    assert world.attacker.try_key() != "alive"

    said = desk.stanch("undo", "LK-1", "--yes", "--as", "alice")
    assert "alice asks to undo it" in said
    assert world.attacker.try_key() != "alive"
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON)

    assert world.attacker.try_key() == "alive"
    assert world.attacker.try_session() == "alive"  # its deny is gone
    assert (
        world.lab.client("iam").list_user_policies(UserName=world.user)["PolicyNames"] == policies
    )
    assert keys(desk) == {world.leaked.access_key_id: "Active"}
    assert world.consumer.key().access_key_id == world.leaked.access_key_id
    assert world.consumer.work() == "alive"
    assert current(stages(desk)) == current(versions)
    assert "LIVE AGAIN" in desk.stanch("incidents", "LK-1")
    desk.stanch("audit", "verify")


def test_what_only_reports_set_off_beyond_the_limit_waits_for_a_person(desk: Any) -> None:
    desk.configure("[limits]\ncontainments = 0\n")
    said = desk.stanch("respond", "payments", "--as", "alice")
    assert "LIVE" in said
    said = " ".join(desk.stanch("incidents", "LK-1").replace("│", " ").split())
    assert "reports alone have set off 0 containments in aws" in said
    assert desk.world.attacker.try_key() == "alive"
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON)
    assert desk.world.attacker.try_key() != "alive"
    assert desk.world.consumer.work() == "alive"


def test_undo_leaves_alone_what_somebody_changed_since_and_says_so(desk: Any) -> None:
    desk.stanch("respond", "payments", "--as", "alice")
    secrets = desk.world.lab.client("secretsmanager")
    mine = {"aws_access_key_id": "by-hand", "aws_secret_access_key": uuid4().hex}
    secrets.put_secret_value(SecretId=desk.world.secret_name, SecretString=json.dumps(mine))

    desk.stanch("undo", "LK-1", "--yes", "--as", "alice")
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON, code=1)

    held = secrets.get_secret_value(SecretId=desk.world.secret_name)["SecretString"]
    assert json.loads(held) == mine
    # Containment was given back first: the consumer that goes back needs a key that works.
    assert desk.world.attacker.try_key() == "alive"
    with desk.house() as house:
        with house.store.transaction() as tx:
            assert tx.incidents.get(1).state is IncidentState.OPEN
        failure = house.cards.card(1).failure
    assert failure is not None
    assert "→" in failure


def test_a_refusal_keeps_the_key_contained_and_the_question_can_be_asked_again(desk: Any) -> None:
    desk.stanch("respond", "payments", "--as", "alice")
    desk.stanch("approve", "LK-1", "--as", "bob", "--refuse", *REASON)
    assert keys(desk)[desk.world.leaked.access_key_id] == "Inactive"
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON, code=2)
    desk.stanch("respond", "LK-1", "--as", "alice")
    desk.stanch("approve", "LK-1", "--as", "bob", *REASON)
    assert desk.world.leaked.access_key_id not in keys(desk)


def keys(desk: Any) -> dict[str, str]:
    listed = desk.world.lab.client("iam").list_access_keys(UserName=desk.world.user)
    return {key["AccessKeyId"]: key["Status"] for key in listed["AccessKeyMetadata"]}


def stages(desk: Any) -> dict[str, list[str]]:
    secrets = desk.world.lab.client("secretsmanager")
    found: dict[str, list[str]] = secrets.describe_secret(SecretId=desk.world.secret_name)[
        "VersionIdsToStages"
    ]
    return found


def current(versions: dict[str, list[str]]) -> list[str]:
    return [version for version, stages in versions.items() if "AWSCURRENT" in stages]
