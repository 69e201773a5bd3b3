"""What AWS answers, in the engine's words: later, not there, refused, or a person's turn.

AWS puts whole access key ids into its messages, so nothing of an answer is passed on unmasked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from stanch.responder.domain.error import Retryable, StanchError, StepFailed

# Retry-After is rarely sent by AWS; IAM's buckets refill within seconds.
_AGAIN = timedelta(seconds=2)
_HTTP_SERVER_ERROR = 500
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
_PASSING = frozenset(
    {
        "ServiceFailure",
        "ServiceUnavailable",
        "InternalError",
        "InternalFailure",
        "InternalServiceError",
        "InternalServiceErrorException",
        "RequestTimeout",
        # Two writers at once: IAM and Secrets Manager ask the second to come back.
        "EntityTemporarilyUnmodifiable",
        "ConcurrentModification",
    }
)
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
)
_MISSING = frozenset({"NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"})
_REJECTED = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
    }
)
_LIMIT = frozenset({"LimitExceeded", "LimitExceededException"})

_KEY_ID = re.compile(r"\b((?:AKIA|ASIA)[A-Z0-9]{12,124})\b")


class NotThere(Exception):  # noqa: N818  # an answer for the step to judge, not a failure
    """What was asked for does not exist. ``at`` is AWS's clock, when its answer says so."""

    at: datetime | None = None


class LimitReached(Exception):  # noqa: N818  # an answer for the step to judge, not a failure
    """A quota of the account or user is used up."""


class NotAsked(StepFailed):
    """The call never left this machine: what AWS would say is not known."""


class NotAllowed(StepFailed):
    """Our identity may not do this, or AWS will not say whether the thing exists."""


def mask_id(key_id: str) -> str:
    """``AKIA…7Q2M``: enough to recognise a key, too little to use or search it."""
    return f"{key_id[:4]}…{key_id[-4:]}"


def masked(text: str) -> str:
    """``text`` with every access key id in it masked."""
    return _KEY_ID.sub(lambda found: mask_id(found[1]), text)


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's error message, masked and bounded."""
    return masked(str(error.response.get("Error", {}).get("Message", "")))[:300]


def denied(error: ClientError) -> bool:
    """True when the credential is known but may not do this."""
    return code_of(error) in _DENIED


def rejected(error: ClientError) -> bool:
    """True when the credential itself is not accepted."""
    return code_of(error) in _REJECTED


def passing(error: ClientError) -> bool:
    """True when the same call may work later: throttled, or AWS's own trouble."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in _THROTTLED | _PASSING or status >= _HTTP_SERVER_ERROR


def aws_time(answer: Mapping[str, Any]) -> datetime | None:
    """When AWS answered, by its own clock; None when the answer does not say."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


@contextmanager
def calling(api: str, *, only_change: bool = False) -> Iterator[None]:
    """Translate what one call as our own identity may raise. ``api`` is ``iam:UpdateAccessKey``.

    ``only_change``: the call is all that its step changes, so a throttled one changed nothing.

    Raises Retryable, StepFailed, :class:`NotThere` or :class:`LimitReached`, never a vendor's error
    (``from None``: the original's text may hold a key id).
    """
    try:
        yield
    except ClientError as error:
        raise _translated(api, error, only_change=only_change) from None
    except (BotoConnectionError, HTTPClientError) as error:
        raise Retryable(
            f"{api}: {type(error).__name__}: no answer from AWS", after=_AGAIN
        ) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise NotAsked(
            f"{api}: Stanch has no AWS credentials of its own",
            remedy="set AWS_PROFILE or the usual AWS environment; `stanch doctor` checks it",
        ) from None
    except ResponseParserError:
        raise Retryable(f"{api}: an answer that is not AWS's", after=_AGAIN) from None
    except BotoCoreError as error:
        raise NotAsked(
            f"{api}: {masked(str(error))}", remedy="`stanch doctor` checks the AWS settings"
        ) from None


def _translated(api: str, error: ClientError, *, only_change: bool) -> Exception:
    code = code_of(error)
    if passing(error):
        refused = only_change and code in _THROTTLED
        return Retryable(f"{api}: {code}", after=_AGAIN, refused=refused)
    if code in _MISSING:
        gone = NotThere(f"{api}: {message_of(error)}")
        gone.at = aws_time(error.response)
        return gone
    if code in _LIMIT:
        return LimitReached(f"{api}: {message_of(error)}")
    return _for_people(api, code, error)


def _for_people(api: str, code: str, error: ClientError) -> StanchError:
    if code in _DENIED:
        return NotAllowed(
            f"{api}: our identity may not do this: {message_of(error)}",
            remedy=f"allow {api} for the identity that Stanch uses; "
            "`stanch doctor` prints the whole policy",
        )
    if code in _REJECTED:
        return StepFailed(
            f"{api}: AWS does not accept Stanch's own credentials ({code})",
            remedy="renew them; `stanch doctor` shows which identity is used. "
            "In an opt-in region or another partition, check aws.region too",
        )
    return StepFailed(
        f"{api}: {code}: {message_of(error)}", remedy="see the AWS reference for this error code"
    )
