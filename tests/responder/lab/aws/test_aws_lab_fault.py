from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ConnectionClosedError

from stanch.responder.lab.aws import ALIVE, AwsLab, World

Refusal = Callable[[Callable[[], object]], tuple[str, str]]


def test_the_journal_counts_each_act_once(world: World) -> None:
    key_id = world.leaked.access_key_id
    world.lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=key_id, Status="Inactive"
    )
    (call,) = world.lab.calls("UpdateAccessKey")
    assert call["params"] == {"UserName": world.user, "AccessKeyId": key_id, "Status": "Inactive"}
    assert (call["service"], call["status"], call["error"]) == ("iam", 200, None)
    assert call["performed"]
    assert call["access_key_id"] == world.lab.admin.access_key_id


def test_the_journal_knows_refused_calls_and_their_address(world: World) -> None:
    world.attacker.intrude()
    call = world.lab.calls("iam:CreateUser")[-1]
    assert (call["error"], call["performed"]) == ("AccessDenied", False)
    assert call["source_ip"] == world.attacker.source_ip


def test_the_journal_can_be_read_from_a_point_on(world: World) -> None:
    last = world.lab.calls()[-1]["seq"]
    world.attacker.try_key()
    assert [call["api"] for call in world.lab.calls(since=last)] == ["ListBuckets"]


def test_the_journal_holds_no_secret(world: World) -> None:
    world.attacker.intrude()
    world.lab.client("ssm").put_parameter(Name="p", Value="planted-value", Type="SecureString")
    written = repr(world.lab.calls())
    assert world.leaked.secret not in written
    assert "planted-value" not in written
    assert world.attacker.session is not None
    assert str(world.attacker.session.token) not in written


@pytest.mark.parametrize(
    ("mode", "service", "act", "code"),
    [
        ("throttle", "iam", "list_users", "Throttling"),
        ("throttle", "cloudtrail", "lookup_events", "ThrottlingException"),
        ("throttle", "s3", "list_buckets", "SlowDown"),
        ("error", "iam", "list_users", "InternalFailure"),
        ("error", "s3", "list_buckets", "InternalError"),
    ],
)
def test_the_next_call_fails_as_asked_and_the_one_after_it_works(
    lab: AwsLab, refusal: Refusal, mode: str, service: str, act: str, code: str
) -> None:
    client = lab.client(service)
    call = getattr(client, act)
    lab.fault("".join(part.title() for part in act.split("_")), mode)
    assert refusal(call)[0] == code
    call()


def test_a_lost_answer_means_the_act_took_place(lab: AwsLab) -> None:
    lab.fault("iam:CreateUser", "lost-answer")
    iam = lab.client("iam")
    with pytest.raises(ConnectionClosedError):
        iam.create_user(UserName="unheard")
    assert iam.get_user(UserName="unheard")["User"]["UserName"] == "unheard"
    (call,) = lab.calls("CreateUser")
    assert (call["fault"], call["performed"]) == ("lost-answer", True)


def test_a_lost_request_means_it_did_not(lab: AwsLab) -> None:
    lab.fault("iam:CreateUser", "lost-request")
    iam = lab.client("iam")
    with pytest.raises(ConnectionClosedError):
        iam.create_user(UserName="unheard")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["lab-admin"]
    (call,) = lab.calls("CreateUser")
    assert (call["fault"], call["performed"]) == ("lost-request", False)


def test_a_fault_can_wait_and_last(lab: AwsLab, refusal: Refusal) -> None:
    lab.fault("ListUsers", "throttle", times=2, skip=1)
    iam = lab.client("iam")
    iam.list_users()
    assert refusal(iam.list_users)[0] == "Throttling"
    assert refusal(iam.list_users)[0] == "Throttling"
    iam.list_users()


def test_a_patient_client_gets_through_throttling(lab: AwsLab) -> None:
    lab.fault("ListUsers", "throttle")
    assert lab.client("iam", attempts=3).list_users()["Users"]
    assert [call["fault"] for call in lab.calls("ListUsers")] == ["throttle", None]


def test_many_threads_may_use_one_lab(world: World) -> None:
    def work(number: int) -> str:
        world.lab.client("iam").create_user(UserName=f"user-{number}")
        return world.consumer.work() if number % 2 else world.attacker.try_key()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(work, range(40)))
    assert found == {ALIVE}
    created = [call["params"]["UserName"] for call in world.lab.calls("CreateUser")]
    assert len(created) == len(set(created))
