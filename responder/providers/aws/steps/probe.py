"""A session of our own, minted with the leaked key, to show later that such sessions are dead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from stanch.responder.domain.error import Retryable
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.attempt import WITNESSES, Answer, Tried, try_witness
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import code_of
from stanch.responder.providers.aws.adapter.identity import agent, leaked_pair
from stanch.scanner.model.secret import SecretValue

SEALED = "probe"
_SECONDS = 900  # the least that STS gives
_TRIES = 2  # containment waits for us: the service used last, and the most common one
_USUAL = "secretsmanager:ListSecrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The key's account and the service it was last used for (may be empty)."""

    account: str
    last_service: str = ""


class ProbeSession:
    """Mint one short session with the leaked key and find a call that it may do.

    Never fails and never waits, because containment comes after it: without a session the proof
    falls back to what the administrator's side shows, and ``reason`` says why. Nothing in the
    account changes; a session minted before a crash and not sealed dies like all others.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.sts.probe_session",
        title="Mint a probe session with the leaked key",
        effect=Effect.READ,
        params=Probe,
        permissions=("sts:GetCallerIdentity",),
        parts=("access_key_id", "secret_access_key"),
        outputs=("session", "witness", "worked"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Probe, preview: str) -> tuple[Call, ...]:
        """What is signed with the leaked key."""
        if not self._aws.settings.probe:
            return ()
        mint = Call(
            api="sts:GetSessionToken",
            arguments={"as": preview, "DurationSeconds": str(_SECONDS)},
        )
        reads = (
            Call(api=name, arguments={"as": "the probe session"})
            for name in _candidates(params.last_service)
        )
        return (mint, *reads)

    def look(self, params: Probe, ctx: StepContext) -> Verdict:
        """Mint, seal, try."""
        if ctx.sealed(SEALED) is None:
            reason = self._why_not(params, ctx) or self._mint(ctx)
            if reason:
                return _without(reason)
        session = session_of(ctx)
        witness, tried = _candidates(params.last_service)[0], Tried(answer=Answer.UNCLEAR)
        for name in _candidates(params.last_service):
            try:
                tried = try_witness(self._aws, session, name, agent=agent(ctx))
            except Retryable:
                continue
            if tried.answer is Answer.ACCEPTED:
                witness = name
                break
        found = {
            "session": "yes",
            "witness": witness,
            "worked": "yes" if tried.answer is Answer.ACCEPTED else "no",
        }
        return Verified(evidence={**found, "answer": str(tried)}, outputs=found)

    def _why_not(self, params: Probe, ctx: StepContext) -> str:
        if not self._aws.settings.probe:
            return "probing is turned off (aws.probe_sessions)"
        if not ctx.has("secret_access_key"):
            return "only the key's id leaked"
        if not params.account or not self._aws.is_ours(params.account):
            return "the account is not one of ours"
        return ""

    def _mint(self, ctx: StepContext) -> str:
        pair = leaked_pair(ctx)
        if pair is None:
            return "only the key's id leaked"
        try:
            with self._aws.acting_as(pair, "sts", agent=agent(ctx)) as sts:
                born = sts.get_session_token(DurationSeconds=_SECONDS)["Credentials"]
        except ClientError as error:
            return f"AWS refused to mint one: {code_of(error)}"
        except BotoCoreError as error:
            return f"no answer from AWS: {type(error).__name__}"
        ctx.seal(
            SEALED,
            {
                "access_key_id": SecretValue(born["AccessKeyId"].encode()),
                "secret_access_key": SecretValue(born["SecretAccessKey"].encode()),
                "session_token": SecretValue(born["SessionToken"].encode()),
            },
        )
        return ""


def session_of(ctx: StepContext) -> Credentials:
    """The sealed probe session."""
    return Credentials(
        access_key_id=ctx.open_sealed(SEALED, "access_key_id"),
        secret_access_key=ctx.open_sealed(SEALED, "secret_access_key"),
        session_token=ctx.open_sealed(SEALED, "session_token"),
    )


def _candidates(last_service: str) -> tuple[str, ...]:
    """The calls to try, the service that the key was last used for first."""
    names = sorted(WITNESSES, key=lambda name: (WITNESSES[name].service != last_service, name))
    first = names[0] if last_service and WITNESSES[names[0]].service == last_service else None
    rest = [name for name in (_USUAL, "s3:ListBuckets") if name != first]
    return tuple([first, *rest][:_TRIES] if first else rest[:_TRIES])


def _without(reason: str) -> Verified:
    found = {"session": "no", "witness": "", "worked": "no"}
    return Verified(evidence={**found, "reason": reason}, outputs=found)
