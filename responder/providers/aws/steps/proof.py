"""The proofs that move an incident on: contained, and dead for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from stanch.responder.domain.claim import Claim, Standing, Uncovered, Validity
from stanch.responder.domain.step import (
    Call,
    Effect,
    NotYet,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    agent,
    leaked_id,
    sealed_pair,
    status_of,
    text_of,
)
from stanch.responder.providers.aws.adapter.secret import holds_pair, read_current
from stanch.responder.providers.aws.steps.descent import Lineage
from stanch.responder.providers.aws.steps.evidence import Sight, see_key, see_session
from stanch.responder.providers.aws.steps.replacement import SEALED as REPLACEMENT
from stanch.responder.providers.patience import SOON

_LIVE_READS = (
    "iam:ListAccessKeys",
    "iam:GetUserPolicy",
    "iam:GetUser",
    "iam:GetLoginProfile",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Whose key, and how the probe session fared before (``worked``: yes or no).

    The rest, once the trail was read (``contained_at`` is then given): what it knows of credentials
    born from the key, and how well it was read.
    """

    user: str
    witness: str = ""
    worked: str = "no"
    born: object = ()
    unread: object = ()
    truncated: object = False
    complete_until: str = ""
    contained_at: str = ""


class ProveRefused:
    """Poll until the key is refused and a session minted from it before is refused too."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.proof.refused",
        opens=("probe",),
        title="Prove that key and sessions are refused",
        effect=Effect.READ,
        params=Refused,
        permissions=(*_LIVE_READS, "iam:GetRolePolicy", "iam:SimulatePrincipalPolicy"),
        parts=("access_key_id", "secret_access_key"),
        outputs=("key", "session", "seen_at"),
        proves=True,
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Refused, preview: str) -> tuple[Call, ...]:
        """The attempts that must fail."""
        return _attempts(params, preview)

    def look(self, params: Refused, ctx: StepContext) -> Verdict:
        """Both must be dead in the same look."""
        seen = _look(self._aws, params, ctx)
        if isinstance(seen, NotYet):
            return seen
        key, session = seen
        covers, gaps = self._born(params, ctx, sessions_denied=session is not None)
        return Verified(
            evidence={**key.evidence("key"), **(session.evidence("session") if session else {})},
            outputs={
                "key": key.method,
                "session": session.method if session else "",
                "seen_at": text_of(ctx.now()),
            },
            claim=_claim(ctx, key, session, params.user, covers, gaps),
        )

    def _born(
        self, params: Refused, ctx: StepContext, *, sessions_denied: bool
    ) -> tuple[tuple[str, ...], tuple[Uncovered, ...]]:
        """What was born from the key, as far as the trail was read."""
        if params.contained_at:
            covers, gaps = Lineage(self._aws, ctx, user=params.user, born=params.born).judge()
            return covers, (*gaps, *_unread(params, sessions_denied=sessions_denied))
        unread = Uncovered(
            what="what was born from it: role sessions and keys",
            standing=Standing.UNKNOWN,
            remedy="the trail is read next",
        )
        return (), (unread,) if sessions_denied else (unread, _nobodys_sessions())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead(Refused):
    """As :class:`Refused`, with the version that must be current in the consumer's secret."""

    secret: str
    version: str


class ProveDead:
    """The old key is gone and refused, what was born from it too, and the consumer lives on."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.proof.dead",
        opens=("probe", "replacement"),
        title="Prove the old key dead and its consumer alive",
        effect=Effect.READ,
        params=Dead,
        permissions=(
            *_LIVE_READS,
            "iam:GetRolePolicy",
            "iam:SimulatePrincipalPolicy",
            "secretsmanager:GetSecretValue",
        ),
        parts=("access_key_id", "secret_access_key"),
        outputs=("key", "session", "replacement", "consumer"),
        proves=True,
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Dead, preview: str) -> tuple[Call, ...]:
        """The attempts that must fail, and those that must not."""
        listed = Call(api="iam:ListAccessKeys", arguments={"UserName": params.user})
        consumer = (
            Call(api="sts:GetCallerIdentity", arguments={"as": "the replacement key"}),
            Call(api="secretsmanager:GetSecretValue", arguments={"SecretId": params.secret}),
        )
        attempts = _attempts(params, preview)
        return (*attempts, listed, *consumer) if params.secret else (*attempts, listed)

    def look(self, params: Dead, ctx: StepContext) -> Verdict:
        """All claims in one look."""
        if params.user and status_of(self._aws, params.user, leaked_id(ctx)) != ABSENT:
            return NotYet(why=f"IAM still lists {ctx.preview}", after=SOON)
        seen = _look(self._aws, params, ctx)
        if isinstance(seen, NotYet):
            return seen
        consumer = self._consumer(params, ctx)
        if not isinstance(consumer, str):
            return consumer
        key, session = seen
        lineage = Lineage(self._aws, ctx, user=params.user, born=params.born)
        covers, gaps = lineage.judge()
        gaps = (*gaps, *_unread(params, sessions_denied=session is not None))
        return Verified(
            evidence={
                **key.evidence("key"),
                **(session.evidence("session") if session else {}),
                "listed": ABSENT,
                "consumer": consumer,
            },
            outputs={
                "key": key.method,
                "session": session.method if session else "",
                "replacement": self._replacement(params, ctx),
                "consumer": consumer,
            },
            claim=_claim(ctx, key, session, params.user, covers, gaps),
        )

    def _replacement(self, params: Dead, ctx: StepContext) -> str:
        if not params.secret:
            return "none"
        return "not tried" if ctx.sealed(REPLACEMENT) is None else "works"

    def _consumer(self, params: Dead, ctx: StepContext) -> str | NotYet | Refuted:
        """How the consumer fares."""
        if not params.secret:
            return "none is known"
        current = read_current(self._aws, params.secret)
        if ctx.sealed(REPLACEMENT) is None:  # delivered for long, so the vault has forgotten it
            return _unchanged(params, current.version)
        pair = sealed_pair(ctx, REPLACEMENT)
        tried = try_identity(self._aws, pair, agent=agent(ctx))
        if tried.answer is not Answer.ACCEPTED:
            return NotYet(why=f"the replacement key does not work yet: {tried}", after=SOON)
        if not holds_pair(current.text, pair):
            return _changed(params)
        return _unchanged(params, current.version)


def _unchanged(params: Dead, version: str) -> str | Refuted:
    if version != params.version:
        return _changed(params)
    return f"{params.secret} holds the replacement (version {version})"


def _changed(params: Dead) -> Refuted:
    return Refuted(
        why=f"{params.secret} does not hold the replacement key as its current value",
        remedy="somebody changed it since; see its versions in Secrets Manager",
    )


def _attempts(params: Refused, preview: str) -> tuple[Call, ...]:
    session = params.witness or "iam:SimulatePrincipalPolicy"
    return (
        Call(api="sts:GetCallerIdentity", arguments={"as": preview}),
        Call(api=session, arguments={"as": "a session minted before"}),
    )


def _look(
    aws: AwsClients, params: Refused, ctx: StepContext
) -> tuple[Sight, Sight | None] | NotYet:
    """Key and sessions, both dead; sessions of an unknown user cannot be looked at."""
    key = see_key(aws, ctx, params.user)
    if not key.dead:
        return NotYet(why=f"{ctx.preview} still works: {key.detail}", after=SOON)
    if not params.user:
        return key, None
    session = see_session(
        aws, ctx, params.user, witness=params.witness, worked=params.worked == "yes"
    )
    if not session.dead:
        return NotYet(why=f"older sessions still work: {session.detail}", after=SOON)
    return key, session


def _claim(  # the parts of one statement
    ctx: StepContext,
    key: Sight,
    session: Sight | None,
    user: str,
    covers: tuple[str, ...],
    gaps: tuple[Uncovered, ...],
) -> Claim:
    own = (f"sessions of the user {user} issued before ({session.detail})",) if session else ()
    return Claim(
        what=f"access key {ctx.preview}",
        validity=Validity.DEAD,
        how=key.detail,
        seen_at=ctx.now(),
        covers=(*own, *covers),
        uncovered=gaps,
    )


def _unread(params: Refused, *, sessions_denied: bool) -> Iterator[Uncovered]:
    """What the trail has not said, or could not."""
    places = params.unread if isinstance(params.unread, list | tuple) else ()
    for place in places:
        yield Uncovered(
            what=f"what was born from it in {place}",
            standing=Standing.UNKNOWN,
            remedy="let Stanch read the trail there (`stanch doctor --iam-policy`)",
        )
    if params.truncated is True:
        yield Uncovered(
            what="calls beyond those that the search reads",
            standing=Standing.UNKNOWN,
            remedy="read the whole trail, for example in its S3 bucket",
        )
    if _later(params.contained_at, params.complete_until):
        yield Uncovered(
            what=f"what the trail delivers late of the time after {params.complete_until}",
            standing=Standing.UNKNOWN,
            remedy="it is read again before anything is called dead",
        )
    if not sessions_denied and params.born:
        yield _nobodys_sessions()


def _later(one: str, other: str) -> bool:
    return bool(one) and bool(other) and datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _nobodys_sessions() -> Uncovered:
    return Uncovered(
        what="sessions minted from it in the last 36 hours, whose user is not known",
        standing=Standing.UNKNOWN,
        remedy="find the user that the key belonged to and deny its older sessions",
    )
