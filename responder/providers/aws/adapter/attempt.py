"""One honest attempt with a credential, and what the answer means.

Only harmless reads are tried, only with credentials of our own accounts, and every attempt signs
its User-Agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stanch.responder.domain.error import Retryable
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials, Service
from stanch.responder.providers.aws.adapter.error import (
    code_of,
    denied,
    message_of,
    passing,
    rejected,
)
from stanch.responder.providers.patience import SOON


class Answer(StrEnum):
    """What AWS thinks of the credential."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # no such credential, or it is inactive
    EXPIRED = "expired"
    WRONG_SECRET = "wrong-secret"  # noqa: S105  # an answer: the id exists, the secret is not its own
    EXPLICITLY_DENIED = "explicitly-denied"  # known, and a policy denies this
    NOT_ALLOWED = "not-allowed"  # known, and no policy allows this
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An answer with AWS's code behind it."""

    answer: Answer
    code: str = ""

    def __str__(self) -> str:
        return f"{self.answer} ({self.code})" if self.code else str(self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A harmless read that many users may do.

    GetCallerIdentity cannot show a deny: STS answers it whatever the policies say.
    """

    service: Service
    call: Callable[[Any], object]


WITNESSES: Mapping[str, Witness] = MappingProxyType(
    {
        "s3:ListBuckets": Witness(service="s3", call=lambda s3: s3.list_buckets()),
        "secretsmanager:ListSecrets": Witness(
            service="secretsmanager", call=lambda client: client.list_secrets(MaxResults=1)
        ),
        "dynamodb:ListTables": Witness(
            service="dynamodb", call=lambda client: client.list_tables(Limit=1)
        ),
        "sqs:ListQueues": Witness(
            service="sqs", call=lambda client: client.list_queues(MaxResults=1)
        ),
    }
)


def try_identity(aws: AwsClients, credentials: Credentials, *, agent: str) -> Tried:
    """Ask STS who we are: accepted or rejected, whatever the policies say."""
    with aws.acting_as(credentials, "sts", agent=agent) as sts:
        return _tried(sts.get_caller_identity)


def try_witness(aws: AwsClients, credentials: Credentials, name: str, *, agent: str) -> Tried:
    """Try the call ``name`` of :data:`WITNESSES`."""
    witness = WITNESSES[name]
    with aws.acting_as(credentials, witness.service, agent=agent) as client:
        return _tried(lambda: witness.call(client))


def _tried(call: Callable[[], object]) -> Tried:
    try:
        call()
    except ClientError as error:
        if passing(error):
            raise Retryable(f"AWS is busy: {code_of(error)}", after=SOON) from None
        return Tried(answer=_meaning(error), code=code_of(error))
    except BotoCoreError as error:
        raise Retryable(f"no answer from AWS: {type(error).__name__}", after=SOON) from None
    return Tried(answer=Answer.ACCEPTED)


def _meaning(error: ClientError) -> Answer:
    code = code_of(error)
    if code.startswith("ExpiredToken"):
        return Answer.EXPIRED
    if code in {"SignatureDoesNotMatch", "InvalidSignatureException"}:
        return Answer.WRONG_SECRET
    if denied(error):
        explicit = "explicit deny" in message_of(error).lower()
        return Answer.EXPLICITLY_DENIED if explicit else Answer.NOT_ALLOWED
    return Answer.REJECTED if rejected(error) else Answer.UNCLEAR
