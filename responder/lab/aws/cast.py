"""Who acts in the lab's world: the workload that must keep working, the attacker who must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stanch.responder.lab.aws.client import Credentials
from stanch.responder.lab.aws.lab import AwsLab

ALIVE = "alive"


@dataclass(slots=True, kw_only=True)
class Consumer:
    """A workload: reads its key from Secrets Manager as ``identity``, then an object with it."""

    lab: AwsLab
    identity: Credentials
    secret_name: str
    bucket: str
    object_key: str
    source_ip: str = "203.0.113.10"
    user_agent: str = "payments-worker/4.2"

    def key(self) -> Credentials:
        """The key as the secret holds it now."""
        reader = self.lab.client("secretsmanager", self.identity, source_ip=self.source_ip)
        held = json.loads(reader.get_secret_value(SecretId=self.secret_name)["SecretString"])
        return Credentials(
            access_key_id=held["aws_access_key_id"], secret=held["aws_secret_access_key"]
        )

    def work(self) -> str:
        """Do the day's work once: ``alive``, or the error code of what failed."""

        def once() -> None:
            s3 = self.lab.client(
                "s3", self.key(), source_ip=self.source_ip, user_agent=self.user_agent
            )
            s3.list_buckets()
            s3.get_object(Bucket=self.bucket, Key=self.object_key)["Body"].read()

        return outcome(once)


@dataclass(slots=True, kw_only=True)
class Attacker:
    """Holds the leaked key at an address of its own, and keeps a session minted from it."""

    lab: AwsLab
    leaked: Credentials
    source_ip: str = "198.51.100.23"
    user_agent: str = "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64"
    session: Credentials | None = field(default=None, repr=False)
    role: str = ""  # the ARN of one that the key may assume
    role_session: Credentials | None = field(default=None, repr=False)

    def intrude(self) -> dict[str, str]:
        """What thieves do first: look around, mint a session, try to stay. API to outcome."""
        steps: dict[str, Callable[[], Any]] = {
            "sts:GetCallerIdentity": lambda: self._as(self.leaked, "sts").get_caller_identity(),
            "s3:ListBuckets": lambda: self._as(self.leaked, "s3").list_buckets(),
            "secretsmanager:ListSecrets": lambda: self._as(
                self.leaked, "secretsmanager"
            ).list_secrets(),
            "sts:GetSessionToken": self.mint,
            "iam:CreateUser": lambda: self._as(self.leaked, "iam").create_user(
                UserName="support-backup"
            ),
            "iam:CreateAccessKey": lambda: self._as(self.leaked, "iam").create_access_key(),
        }
        found = {name: outcome(step) for name, step in steps.items()}
        found["s3:ListBuckets as the session"] = self.try_session()
        return found

    def mint(self) -> None:
        """Mint a session from the leaked key and keep it."""
        born = self._as(self.leaked, "sts").get_session_token()["Credentials"]
        self.session = Credentials(
            access_key_id=born["AccessKeyId"],
            secret=born["SecretAccessKey"],
            token=born["SessionToken"],
        )

    def assume(self) -> None:
        """Assume the role with the leaked key and keep the session: it outlives the key."""
        born = self._as(self.leaked, "sts").assume_role(
            RoleArn=self.role, RoleSessionName="backup"
        )["Credentials"]
        self.role_session = Credentials(
            access_key_id=born["AccessKeyId"],
            secret=born["SecretAccessKey"],
            token=born["SessionToken"],
        )

    def try_role_session(self) -> str:
        """``alive`` if the role's session still gets anything, else the AWS error code."""
        if self.role_session is None:
            return "NoSession"
        return outcome(self._as(self.role_session, "s3").list_buckets)

    def try_key(self) -> str:
        """``alive`` if the leaked key still gets anything, else the AWS error code."""
        return outcome(self._as(self.leaked, "s3").list_buckets)

    def try_session(self) -> str:
        """``alive`` if the session still gets anything, else the AWS error code."""
        if self.session is None:
            return "NoSession"
        return outcome(self._as(self.session, "s3").list_buckets)

    def _as(self, credentials: Credentials, service: str) -> Any:
        return self.lab.client(
            service, credentials, source_ip=self.source_ip, user_agent=self.user_agent
        )


def outcome(act: Callable[[], Any]) -> str:
    """``alive`` when the call succeeds, else the AWS error code or the kind of network failure."""
    try:
        act()
    except ClientError as err:
        return str(err.response["Error"]["Code"])
    except BotoCoreError as err:
        return type(err).__name__
    return ALIVE
