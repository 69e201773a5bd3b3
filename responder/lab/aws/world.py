"""The account a drill happens in: a deployer whose key leaked, its consumer, an attacker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stanch.responder.lab.aws.cast import Attacker, Consumer
from stanch.responder.lab.aws.client import Credentials
from stanch.responder.lab.aws.lab import AwsLab

USER = "ci-deployer"
OWNER = "payments-platform"
SECRET_NAME = "payments/prod/aws-deployer"
_DATABASE_SECRET = "payments/prod/database"
_WORKER = "payments-worker"
_BUCKET = "payments-prod-artifacts"
_OBJECT = "releases/current.json"
ROLE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was seeded. ``leaked`` is the key that the drill commits to a repository."""

    lab: AwsLab
    user: str
    owner: str
    secret_name: str
    secret_arn: str
    bucket: str
    leaked: Credentials
    consumer: Consumer
    attacker: Attacker


def seed(lab: AwsLab) -> World:
    """Build the world in an empty lab. All of it is in force when this returns."""
    delay = lab.propagation()
    lab.set_propagation(timedelta(0))
    leaked = _make_user(
        lab,
        USER,
        tags={"owner": OWNER, "stanch:secret": SECRET_NAME, "environment": "prod"},
        policy=_deployer_policy(lab),
    )
    worker = _make_user(lab, _WORKER, tags={"owner": OWNER}, policy=_worker_policy(lab))
    secret_arn = _store(lab, leaked)
    consumer = Consumer(
        lab=lab, identity=worker, secret_name=SECRET_NAME, bucket=_BUCKET, object_key=_OBJECT
    )
    _make_role(lab)
    consumer.work()  # so that the key has a last use and the trail a baseline
    lab.set_propagation(delay)
    return World(
        lab=lab,
        user=USER,
        owner=OWNER,
        secret_name=SECRET_NAME,
        secret_arn=secret_arn,
        bucket=_BUCKET,
        leaked=leaked,
        consumer=consumer,
        attacker=Attacker(
            lab=lab, leaked=leaked, role=f"arn:aws:iam::{lab.account_id}:role/{ROLE}"
        ),
    )


def _make_user(lab: AwsLab, name: str, *, tags: dict[str, str], policy: Any) -> Credentials:
    iam = lab.client("iam")
    iam.create_user(
        UserName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
    iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(access_key_id=made["AccessKeyId"], secret=made["SecretAccessKey"])


def _make_role(lab: AwsLab) -> None:
    """A role that the deployer may assume, as deployers do."""
    deployer = {"AWS": f"arn:aws:iam::{lab.account_id}:user/{USER}"}
    trust = {"Effect": "Allow", "Principal": deployer, "Action": "sts:AssumeRole"}
    iam = lab.client("iam")
    iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    work = _document(_allow("s3:ListAllMyBuckets", "*"))
    iam.put_role_policy(RoleName=ROLE, PolicyName="work", PolicyDocument=json.dumps(work))


def _store(lab: AwsLab, leaked: Credentials) -> str:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=_OBJECT, Body=b'{"release": 412}')
    secrets = lab.client("secretsmanager")
    secrets.create_secret(
        Name=_DATABASE_SECRET, SecretString=json.dumps({"username": "payments", "password": "lab"})
    )
    held = {"aws_access_key_id": leaked.access_key_id, "aws_secret_access_key": leaked.secret}
    made = secrets.create_secret(Name=SECRET_NAME, SecretString=json.dumps(held))
    return str(made["ARN"])


def _deployer_policy(lab: AwsLab) -> dict[str, Any]:
    database = _secret_pattern(lab, _DATABASE_SECRET)
    return _document(
        _allow("s3:ListAllMyBuckets", "*"),
        _allow("s3:ListBucket", f"arn:aws:s3:::{_BUCKET}"),
        _allow("s3:GetObject", f"arn:aws:s3:::{_BUCKET}/*"),
        _allow("secretsmanager:ListSecrets", "*"),
        _allow("secretsmanager:GetSecretValue", database),
        _allow("sts:AssumeRole", f"arn:aws:iam::{lab.account_id}:role/{ROLE}"),
    )


def _worker_policy(lab: AwsLab) -> dict[str, Any]:
    return _document(_allow("secretsmanager:GetSecretValue", _secret_pattern(lab, SECRET_NAME)))


def _secret_pattern(lab: AwsLab, name: str) -> str:
    # Secrets Manager appends six characters to the name.
    return f"arn:aws:secretsmanager:{lab.region}:{lab.account_id}:secret:{name}-??????"


def _allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _document(*statements: dict[str, str]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
