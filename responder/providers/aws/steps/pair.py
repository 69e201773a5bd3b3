"""Whether the two halves that leaked belong together: the difference between a leak and a claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from stanch.responder.domain.error import Retryable
from stanch.responder.domain.step import (
    Call,
    Effect,
    NotYet,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.identity import agent, leaked_pair
from stanch.responder.providers.patience import SOON

# Containment waits for the answer. Without one by then, a person is asked instead.
_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The key's account, which must be ours: nobody else's key is tried."""

    account: str


class TryPair:
    """Sign in with the leaked pair, once its account is known to be ours.

    Anybody can write any forty characters beside the id of somebody's key. Only a pair that STS
    accepts has leaked; every other is worth as much as the id alone.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.sts.try_pair",
        title="Try whether the leaked pair works",
        effect=Effect.READ,
        params=Pair,
        permissions=("sts:GetCallerIdentity",),
        parts=("access_key_id", "secret_access_key"),
        outputs=("works",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Pair, preview: str) -> tuple[Call, ...]:
        """One harmless read, signed with the leaked pair."""
        del params
        if not self._aws.settings.probe:
            return ()
        return (Call(api="sts:GetCallerIdentity", arguments={"as": preview}),)

    def look(self, params: Pair, ctx: StepContext) -> Verdict:
        """``works`` is ``yes``, ``no``, or ``unknown`` when it was not tried or nobody answered."""
        pair = leaked_pair(ctx)
        if pair is None:
            return _said("no", "only the key's id leaked")
        if not self._aws.settings.probe:
            return _said("unknown", "trying is turned off (aws.probe_sessions)")
        if not params.account or not self._aws.is_ours(params.account):
            return _said("unknown", "the account is not one of ours")
        try:
            tried = try_identity(self._aws, pair, agent=agent(ctx))
        except Retryable as error:
            if ctx.now() - ctx.started_at < _PATIENCE:
                return NotYet(why=str(error), after=SOON)
            return _said("unknown", str(error))
        return _said("yes" if tried.answer is Answer.ACCEPTED else "no", f"STS: {tried}")


def _said(works: str, why: str) -> Verified:
    return Verified(evidence={"works": works, "why": why}, outputs={"works": works})
