from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stanch.responder.lab.aws import ALIVE, AwsLab, Credentials, World
from stanch.responder.lab.aws.server import keyid

Refusal = Callable[[Callable[[], object]], tuple[str, str]]


def _deny_all(lab: AwsLab, user: str, condition: dict[str, Any] | None = None) -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    document = {
        "Version": "2012-10-17",
        "Statement": [statement | ({"Condition": condition} if condition else {})],
    }
    lab.client("iam").put_user_policy(
        UserName=user, PolicyName="deny", PolicyDocument=json.dumps(document)
    )


@pytest.mark.parametrize(
    ("body", "account"),
    [("Y34FZKBOKMUTVV7A", "609629065308"), ("QNZGKIQY56JQ7WML", "029608264753")],
)
def test_published_key_ids_decode_to_their_account(body: str, account: str) -> None:
    assert keyid.account_of("ASIA" + body) == account


def test_ids_without_an_account_are_told_apart() -> None:
    assert keyid.account_of("AKIA" + "I44QH8DHBEXAMPLE") is None  # holds an 8
    assert keyid.account_of("AKIA" + "A" * 16) is None  # of the old generation


def test_key_ids_are_base32_and_carry_the_account(world: World) -> None:
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", world.leaked.access_key_id)
    assert keyid.account_of(world.leaked.access_key_id) == world.lab.account_id
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", world.leaked.secret)


def test_session_key_ids_are_base32_and_carry_the_account(world: World) -> None:
    world.attacker.mint()
    assert world.attacker.session is not None
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", world.attacker.session.access_key_id)
    assert keyid.account_of(world.attacker.session.access_key_id) == world.lab.account_id


def test_a_user_has_two_keys_at_most(
    world: World, new_key: Callable[[str], Credentials], refusal: Refusal
) -> None:
    new_key(world.user)
    code, message = refusal(lambda: new_key(world.user))
    assert (code, message) == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")


def test_a_key_is_deleted_only_under_its_owners_name(world: World, refusal: Refusal) -> None:
    iam = world.lab.client("iam")
    wrong = {"UserName": "lab-admin", "AccessKeyId": world.leaked.access_key_id}
    assert refusal(lambda: iam.delete_access_key(**wrong))[0] == "NoSuchEntity"
    assert world.attacker.try_key() == ALIVE


def test_last_use_names_owner_service_and_region(world: World) -> None:
    iam = world.lab.client("iam")
    before = datetime.now(UTC).replace(microsecond=0)
    world.lab.client("secretsmanager", world.leaked).list_secrets()
    found = iam.get_access_key_last_used(AccessKeyId=world.leaked.access_key_id)
    used = found["AccessKeyLastUsed"]
    assert found["UserName"] == world.user
    assert (used["ServiceName"], used["Region"]) == ("secretsmanager", world.lab.region)
    assert used["LastUsedDate"] >= before


def test_a_new_key_was_never_used(world: World, new_key: Callable[[str], Credentials]) -> None:
    key = new_key(world.user)
    found = world.lab.client("iam").get_access_key_last_used(AccessKeyId=key.access_key_id)
    assert found["AccessKeyLastUsed"] == {"Region": "N/A", "ServiceName": "N/A"}


def test_an_inactive_key_is_refused_as_each_service_words_it(
    world: World, refusal: Refusal
) -> None:
    lab, key = world.lab, world.leaked
    lab.client("iam").update_access_key(
        UserName=world.user, AccessKeyId=key.access_key_id, Status="Inactive"
    )
    assert refusal(lab.client("s3", key).list_buckets)[0] == "InvalidAccessKeyId"
    assert refusal(lab.client("sts", key).get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(lab.client("secretsmanager", key).list_secrets)[0] == (
        "UnrecognizedClientException"
    )


def test_a_wrong_secret_is_refused(world: World, refusal: Refusal) -> None:
    forged = Credentials(access_key_id=world.leaked.access_key_id, secret="x" * 40)
    code, _ = refusal(world.lab.client("sts", forged).get_caller_identity)
    assert code == "SignatureDoesNotMatch"


def test_an_explicit_deny_is_worded_as_aws_does(world: World, refusal: Refusal) -> None:
    _deny_all(world.lab, world.user)
    code, message = refusal(world.lab.client("secretsmanager", world.leaked).list_secrets)
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_caller_identity_answers_despite_an_explicit_deny(world: World) -> None:
    _deny_all(world.lab, world.user)
    found = world.lab.client("sts", world.leaked).get_caller_identity()
    assert found["Arn"].endswith(f":user/{world.user}")


def test_simulation_sees_an_explicit_deny(world: World) -> None:
    _deny_all(world.lab, world.user)
    found = world.lab.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{world.lab.account_id}:user/{world.user}",
        ActionNames=["s3:ListAllMyBuckets"],
    )
    assert found["EvaluationResults"][0]["EvalDecision"] == "explicitDeny"


@pytest.mark.parametrize(
    ("issued", "decision"),
    [("2026-01-01T11:00:00Z", "explicitDeny"), ("2026-01-01T13:00:00Z", "allowed")],
)
def test_simulation_sees_the_context_it_is_given(world: World, issued: str, decision: str) -> None:
    cut = {"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T12:00:00Z"}}
    _deny_all(world.lab, world.user, cut)
    found = world.lab.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{world.lab.account_id}:user/{world.user}",
        ActionNames=["s3:ListAllMyBuckets"],
        ContextEntries=[
            {
                "ContextKeyName": "aws:TokenIssueTime",
                "ContextKeyType": "date",
                "ContextKeyValues": [issued],
            }
        ],
    )
    assert found["EvaluationResults"][0]["EvalDecision"] == decision


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_a_session_outlives_the_key_it_was_minted_from(world: World, act: str) -> None:
    world.attacker.mint()
    iam = world.lab.client("iam")
    named = {"UserName": world.user, "AccessKeyId": world.leaked.access_key_id}
    if act == "disable":
        iam.update_access_key(**named, Status="Inactive")
    else:
        iam.delete_access_key(**named)
    assert world.attacker.try_key() == "InvalidAccessKeyId"
    assert world.attacker.try_session() == ALIVE


def test_a_deny_by_issue_time_kills_old_sessions_and_spares_the_key(world: World) -> None:
    world.attacker.mint()
    before = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    _deny_all(world.lab, world.user, {"DateLessThan": {"aws:TokenIssueTime": before}})
    assert world.attacker.try_session() == "AccessDenied"
    assert world.attacker.try_key() == ALIVE
    assert world.consumer.work() == ALIVE


def test_a_deny_by_issue_time_spares_sessions_minted_later(world: World) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    _deny_all(world.lab, world.user, {"DateLessThan": {"aws:TokenIssueTime": past}})
    world.attacker.mint()
    assert world.attacker.try_session() == ALIVE


def test_a_plain_session_cannot_call_iam_even_for_an_administrator(
    lab: AwsLab, refusal: Refusal
) -> None:
    born = lab.client("sts").get_session_token()["Credentials"]
    session = Credentials(
        access_key_id=born["AccessKeyId"],
        secret=born["SecretAccessKey"],
        token=born["SessionToken"],
    )
    assert refusal(lab.client("iam", session).list_users)[0] == "InvalidClientTokenId"
    assert refusal(lab.client("sts", session).get_session_token)[0] == "AccessDenied"
    unnamed = {"Name": "temporary"}
    assert refusal(lambda: lab.client("sts", session).get_federation_token(**unnamed))[0] == (
        "AccessDenied"
    )
    assert lab.client("sts", session).get_caller_identity()["Account"] == lab.account_id


def test_policies_see_the_address_a_client_comes_from(world: World) -> None:
    attacker_only = {"IpAddress": {"aws:SourceIp": f"{world.attacker.source_ip}/32"}}
    _deny_all(world.lab, world.user, attacker_only)
    assert world.attacker.try_key() == "AccessDenied"
    assert world.consumer.work() == ALIVE
