"""One CloudTrail event, reduced to what an investigation needs. Pure; every text is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from stanch.responder.providers.aws.adapter.error import masked

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.type_defs import EventTypeDef

GLOBAL = "us-east-1"  # where IAM's and the global STS endpoint's events are kept
_LONGEST = 160
_REFUSALS = ("AccessDenied", "Unauthorized", "UnrecognizedClient", "InvalidClientTokenId")


class Birth(StrEnum):
    """How a credential came from another."""

    KEY = "key"  # a long-term key, of this user or another
    OWN_SESSION = "own-session"  # GetSessionToken, GetFederationToken: falls under the user's deny
    ROLE_SESSION = "role-session"
    SIGN_IN = "sign-in"  # a password for the console
    OTHER = "other"  # nothing that we know how to ask about


# What STS gives when nothing else was asked for; a federation or own session lasts longer.
_HOUR = timedelta(hours=1)
_LONGEST_SESSION = timedelta(hours=36)
_OWN = frozenset({"GetSessionToken", "GetFederationToken"})
_SIGN_INS = frozenset({"CreateLoginProfile", "UpdateLoginProfile"})
# Credentials of a user that last, and have no access key's id: for git, certificates, Cassandra.
_LASTING = frozenset(
    {
        "CreateServiceSpecificCredential",
        "ResetServiceSpecificCredential",
        "UploadSSHPublicKey",
        "UploadSigningCertificate",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A credential that a call made. ``owner`` is the IAM user or the role's ARN."""

    id: str
    birth: Birth
    api: str
    owner: str
    name: str  # a role session's aws:userid, "AROA…:name"; else empty
    issued_at: datetime
    until: datetime | None  # None: it does not end by itself

    @property
    def in_trail(self) -> bool:
        """Whether the trail can be asked what was done with it: it has an access key's id."""
        return self.id.isalnum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a credential. ``outcome`` is ``ok`` or AWS's error code."""

    id: str
    at: datetime
    api: str
    ip: str
    agent: str
    region: str
    outcome: str
    born: tuple[Child, ...]
    user: str  # the IAM user who called; empty for others

    @property
    def denied(self) -> bool:
        """AWS said no, as opposed to: the request was wrong."""
        return self.outcome.removeprefix("Client.").startswith(_REFUSALS)


def parse(event: EventTypeDef) -> Use:
    """The use behind an item of LookupEvents. Missing or odd fields become ``unknown``."""
    detail = _detail(event)
    source = _text(event.get("EventSource")).removesuffix(".amazonaws.com")
    return Use(
        id=_text(event.get("EventId")),
        at=event["EventTime"],
        api=f"{source}:{_text(event.get('EventName'))}",
        ip=_text(detail.get("sourceIPAddress")),
        agent=_text(detail.get("userAgent")),
        region=_text(detail.get("awsRegion")),
        outcome=_text(detail["errorCode"]) if detail.get("errorCode") else "ok",
        born=() if detail.get("errorCode") else (*_born(event, detail), *_given(event, detail)),
        user=_user(detail.get("userIdentity")),
    )


def _user(identity: object) -> str:
    name = identity.get("userName") if isinstance(identity, Mapping) else None
    kind = identity.get("type") if isinstance(identity, Mapping) else None
    return name if isinstance(name, str) and kind == "IAMUser" else ""


def _detail(event: EventTypeDef) -> Mapping[str, object]:
    try:
        found = json.loads(event.get("CloudTrailEvent", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _born(event: EventTypeDef, detail: Mapping[str, object]) -> Iterator[Child]:
    """New credentials: sessions stand under ``credentials``, keys under ``accessKey``."""
    elements = detail.get("responseElements")
    if not isinstance(elements, Mapping):
        return
    name = str(event.get("EventName", ""))
    for place in (elements, elements.get("credentials"), elements.get("accessKey")):
        found = place.get("accessKeyId") if isinstance(place, Mapping) else None
        if isinstance(found, str) and found:
            yield _child(found, name, event["EventTime"], elements, detail)


def _given(event: EventTypeDef, detail: Mapping[str, object]) -> Iterator[Child]:
    """Ways in that the answer does not show: passwords, keys that work again, and the like."""
    api = str(event.get("EventName", ""))
    asked = detail.get("requestParameters")
    asked = asked if isinstance(asked, Mapping) else {}
    owner = _text(asked.get("userName") or _user(detail.get("userIdentity")))
    key_id = asked.get("accessKeyId")
    if api in _SIGN_INS:
        birth, known = Birth.SIGN_IN, f"password of {owner}"
    elif api == "UpdateAccessKey" and asked.get("status") == "Active" and isinstance(key_id, str):
        birth, known = Birth.KEY, key_id
    elif api in _LASTING:
        birth, known = Birth.OTHER, f"{api} of {owner}"
    else:
        return
    at = event["EventTime"].astimezone(UTC)
    yield Child(id=known, birth=birth, api=api, owner=owner, name="", issued_at=at, until=None)


def _child(
    key_id: str,
    api: str,
    at: datetime,
    elements: Mapping[str, object],
    detail: Mapping[str, object],
) -> Child:
    asked = detail.get("requestParameters")
    asked = asked if isinstance(asked, Mapping) else {}
    role = elements.get("assumedRoleUser")
    role = role if isinstance(role, Mapping) else {}
    if api.startswith("AssumeRole"):
        birth, owner = Birth.ROLE_SESSION, _text(asked.get("roleArn"))
    elif api == "CreateAccessKey":
        made = elements.get("accessKey")
        owner = _text(made.get("userName") if isinstance(made, Mapping) else None)
        birth = Birth.KEY
    elif api in _OWN:
        birth, owner = Birth.OWN_SESSION, _user(detail.get("userIdentity"))
    else:  # of root in a member account, of an identity pool: no deny of the user's reaches it
        birth, owner = Birth.OTHER, "unknown"
    return Child(
        id=key_id,
        birth=birth,
        api=api,
        owner=owner,
        name=_text(role.get("assumedRoleId")) if role else "",
        issued_at=at.astimezone(UTC),
        until=None if birth is Birth.KEY else at.astimezone(UTC) + _lasts(birth, asked),
    )


def _lasts(birth: Birth, asked: Mapping[str, object]) -> timedelta:
    """As long as was asked for; the longest that AWS gives where that cannot be read."""
    given = asked.get("durationSeconds")
    try:
        seconds = int(str(given))
    except ValueError:
        return _HOUR if birth is Birth.ROLE_SESSION and given is None else _LONGEST_SESSION
    return min(timedelta(seconds=max(seconds, 0)), _LONGEST_SESSION)


def _text(value: object) -> str:
    """One printable line of bounded length, key ids masked."""
    if not isinstance(value, str) or not value:
        return "unknown"
    return masked("".join(c if c.isprintable() else "?" for c in value[: _LONGEST * 2]))[:_LONGEST]
