"""What accounts are like besides the usual: containment and its proofs hold there too."""

from __future__ import annotations

import json
from typing import Any

from stanch.responder.domain.step import NotYet, Refuted, Verified
from stanch.responder.lab.aws.cast import outcome
from stanch.responder.lab.aws.client import Credentials
from stanch.responder.providers.aws.adapter import client
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.provider import AWS
from stanch.scanner.model.secret import SecretValue

Bench = Any  # conftest.py cannot be imported by name
OWNER = "aws.iam.find_owner"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def leak(bench: Bench, key: Any) -> Credentials:
    """The bench's leak is this key."""
    bench.safe.leak = {
        "access_key_id": SecretValue(key["AccessKeyId"].encode()),
        "secret_access_key": SecretValue(key["SecretAccessKey"].encode()),
    }
    return Credentials(access_key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_a_user_with_a_path_odd_letters_a_group_and_a_boundary_is_contained(bench: Bench) -> None:
    iam, name = bench.lab.client("iam"), "a+b=c,d.e@f-g_h"
    boundary = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.create_user(UserName=name, Path="/division_abc/sub/", PermissionsBoundary=boundary)
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=document(EVERYTHING))
    iam.add_user_to_group(GroupName="admins", UserName=name)
    leaked = leak(bench, iam.create_access_key(UserName=name)["AccessKey"])
    bench.contain(user=name)
    assert bench.out(OWNER, "user") == name
    assert outcome(bench.lab.client("s3", leaked).list_buckets) != "alive"
    verdict = bench.look(
        "aws.proof.refused",
        user=name,
        witness=bench.out("aws.sts.probe_session", "witness"),
        worked=bench.out("aws.sts.probe_session", "worked"),
    )
    assert isinstance(verdict, Verified)


def test_a_federated_session_falls_under_the_users_deny(bench: Bench) -> None:
    federate = {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}
    bench.lab.client("iam").put_user_policy(
        UserName=bench.world.user, PolicyName="federate", PolicyDocument=document(federate)
    )
    born = bench.lab.client("sts", bench.world.leaked).get_federation_token(
        Name="thief", DurationSeconds=3600, Policy=document(EVERYTHING)
    )["Credentials"]
    thief = Credentials(
        access_key_id=born["AccessKeyId"],
        secret=born["SecretAccessKey"],
        token=born["SessionToken"],
    )
    assert outcome(bench.lab.client("s3", thief).list_buckets) == "alive"
    bench.contain()
    assert outcome(bench.lab.client("s3", thief).list_buckets) == "AccessDenied"
    assert isinstance(bench.refused(), Verified)


def test_a_key_that_may_do_next_to_nothing_is_proven_from_iams_side(bench: Bench) -> None:
    """No call that its session could try was ever allowed, so a refusal shows nothing."""
    iam = bench.lab.client("iam")
    iam.create_user(UserName="narrow")
    leak(bench, iam.create_access_key(UserName="narrow")["AccessKey"])
    bench.contain(user="narrow")
    assert bench.out("aws.sts.probe_session", "worked") == "no"

    def refused() -> Any:
        witness = bench.out("aws.sts.probe_session", "witness")
        return bench.look("aws.proof.refused", user="narrow", witness=witness, worked="no")

    verdict = refused()
    assert isinstance(verdict, Verified)
    bench.undo("aws.iam.deny_user_sessions")
    assert isinstance(refused(), NotYet)


def test_a_key_that_we_may_not_ask_about_is_not_taken_for_gone(bench: Bench) -> None:
    """AWS answers AccessDenied for keys that it will not speak of, and for our missing right."""
    iam = bench.lab.client("iam")
    iam.create_user(UserName="stanch")
    silent = {"Effect": "Deny", "Action": "iam:GetAccessKeyLastUsed", "Resource": "*"}
    policy = document(EVERYTHING, silent)
    iam.put_user_policy(UserName="stanch", PolicyName="most", PolicyDocument=policy)
    made = iam.create_access_key(UserName="stanch")["AccessKey"]
    own = AwsClients(
        bench.aws.settings,
        own=client.Credentials(
            access_key_id=SecretValue(made["AccessKeyId"].encode()),
            secret_access_key=SecretValue(made["SecretAccessKey"].encode()),
        ),
    )
    bench.steps = AWS.build(own)
    found = bench.do(OWNER, account=bench.lab.account_id).outputs
    assert (found["user"], found["status"]) == (bench.world.user, "Active")
    iam.delete_access_key(UserName=bench.world.user, AccessKeyId=bench.world.leaked.access_key_id)
    assert bench.do(OWNER, account=bench.lab.account_id).outputs["status"] == "absent"
    # Nobody ever used this one, so the trail names no owner either: nobody knows.
    unused = iam.create_access_key(UserName=bench.world.user)["AccessKey"]
    bench.safe.leak = {"access_key_id": SecretValue(unused["AccessKeyId"].encode())}
    verdict = bench.look(OWNER, account=bench.lab.account_id)
    assert isinstance(verdict, Refuted)
    assert "not known" in verdict.why
    own.close()
