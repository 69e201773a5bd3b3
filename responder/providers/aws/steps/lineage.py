"""What was born from the leaked key, as one step finds it and others read it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from stanch.responder.domain.resolved_type import resolved
from stanch.responder.providers.aws.adapter.error import mask_id
from stanch.responder.providers.aws.adapter.trail import Birth, Child


class Heir(msgspec.Struct, frozen=True, kw_only=True):
    """A :class:`Child` without its whole id."""

    id: str  # masked
    birth: Birth
    api: str
    owner: str
    name: str
    issued_at: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        match self.birth:
            case Birth.ROLE_SESSION:
                session = self.name.partition(":")[2] or "a session"
                return f"session {session} ({self.id}) of the role {role_name(self.owner)}"
            case Birth.OWN_SESSION:
                return f"session {self.id} of the user {self.owner} by {self.api}"
            case Birth.KEY:
                return f"access key {self.id} of the user {self.owner}"
            case Birth.SIGN_IN:
                return f"console password of the user {self.owner} by {self.api}"
            case Birth.OTHER:
                return f"credential {self.id} by {self.api}"

    def over(self, now: datetime) -> bool:
        """It has ended by itself."""
        return self.until is not None and self.until <= now


def heir_of(child: Child) -> Heir:
    """What others may know of a child."""
    return Heir(
        id=mask_id(child.id) if child.in_trail else child.id,
        birth=child.birth,
        api=child.api,
        owner=child.owner,
        name=child.name,
        issued_at=child.issued_at.astimezone(UTC),
        until=child.until,
    )


_HEIRS = resolved(tuple[Heir, ...])


def heirs_of(value: object) -> tuple[Heir, ...]:
    """From a step's output; it crossed a database. A plan that knows none yet has a text here."""
    if isinstance(value, str):
        return ()
    return msgspec.convert(value, _HEIRS)


def role_name(arn: str) -> str:
    """``deploy`` of ``arn:aws:iam::123456789012:role/teams/deploy``."""
    return arn.rpartition("/")[2]


def account_of(arn: str) -> str:
    """The account in an ARN; empty when there is none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 else ""  # noqa: PLR2004  # arn:partition:service:region:account
