"""The application's own identity in AWS, so that what it may read is tried as it."""

from __future__ import annotations

from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import calling
from stanch.scanner.model.secret import SecretValue

_SHORTEST = 900  # seconds: the least that AWS gives


def assumed(aws: AwsClients, role: str) -> AwsClients:
    """Clients of a session of this role. Raises as :func:`calling` where it may not be assumed."""
    with calling("sts:AssumeRole"):
        found = aws.sts().assume_role(
            RoleArn=role, RoleSessionName="stanch-migrate", DurationSeconds=_SHORTEST
        )["Credentials"]
    session = Credentials(
        access_key_id=SecretValue(found["AccessKeyId"].encode()),
        secret_access_key=SecretValue(found["SecretAccessKey"].encode()),
        session_token=SecretValue(found["SessionToken"].encode()),
    )
    return AwsClients(aws.settings, own=session)
