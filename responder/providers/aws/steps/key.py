"""What an access key id says by itself, without asking anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.step import (
    Call,
    Effect,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.keyid import decode_account

_PREFIX_LENGTH = 4
_KINDS = {"AKIA": "long-term key", "ASIA": "session key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No parameters."""


class ClassifyKey:
    """Say what kind of key leaked and whose account it names; refuse what is plainly not ours.

    Offline on purpose: trying a stranger's key would be an attack, and could trip a canary.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.key.classify",
        title="Classify the key offline",
        effect=Effect.READ,
        params=Nothing,
        parts=("access_key_id",),
        outputs=("kind", "account"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._settings = aws.settings

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:
        """None: nothing leaves this machine."""
        del params, preview
        return ()

    def look(self, params: Nothing, ctx: StepContext) -> Verdict:
        """Read the id."""
        del params
        key_id = ctx.open("access_key_id").reveal().decode("ascii", "replace")
        kind = _KINDS.get(key_id[:_PREFIX_LENGTH])
        if kind is None:
            return Refuted(
                why=f"{ctx.preview} is not an AWS access key id",
                remedy="close the incident as a false alarm, or report the rule that found it",
            )
        if key_id.startswith("ASIA"):
            return Refuted(
                why=f"{ctx.preview} is a session key: it cannot be disabled by itself",
                remedy="deny older sessions of the role or user that it was issued to; "
                "CloudTrail's AssumeRole event for this id names it",
            )
        account = decode_account(key_id) or ""
        ours = self._settings.accounts
        if account and ours and account not in ours:
            return Refuted(
                why=f"{ctx.preview} belongs to AWS account {account}, which is not one of ours",
                remedy="tell its owner or AWS; if it is ours, add it to aws.accounts",
                stranger=True,
            )
        found = {"kind": kind, "account": account}
        return Verified(evidence={**found, "method": "decoded from the id"}, outputs=found)
