"""Whether the secret that is said to hold the leaked key really holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import NotThere
from stanch.responder.providers.aws.adapter.identity import agent, leaked_id
from stanch.responder.providers.aws.adapter.secret import neighbour, read_current
from stanch.scanner.model.secret import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The user, the secret that is said to hold the key, and whether the leaked pair works."""

    user: str
    secret: str
    leaked: str = "no"


class ProvePossession:
    """While the key still works: sign in with the pair inside the secret.

    Anybody who may write a secret can put a key's *id* into one, beside any forty characters, and
    report the same pair. Writing a new key of that user into it would hand the user over. When the
    leaked pair works, the secret's text is compared with it later and nothing is tried here; else
    STS must accept the pair in the secret, and that can be asked only before the key is disabled.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.prove_possession",
        title="Prove that the consumer's secret holds the key",
        effect=Effect.READ,
        params=Holder,
        permissions=("secretsmanager:GetSecretValue",),
        parts=("access_key_id",),
        outputs=("proven",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Holder, preview: str) -> tuple[Call, ...]:
        """What is asked unless the leaked pair works."""
        return (
            Call(api="secretsmanager:GetSecretValue", arguments={"SecretId": params.secret}),
            Call(api="sts:GetCallerIdentity", arguments={"as": f"the pair of {preview} in it"}),
        )

    def look(self, params: Holder, ctx: StepContext) -> Verdict:
        """``proven`` is ``yes``, ``no``, or ``compare`` when the leaked pair works."""
        proven, why = self._prove(params, ctx)
        return Verified(evidence={"proven": proven, "why": why}, outputs={"proven": proven})

    def _prove(self, params: Holder, ctx: StepContext) -> tuple[str, str]:
        if params.leaked == "yes":
            return "compare", "the leaked pair works, so the secret's text is compared with it"
        if not params.secret:
            return "no", "no secret is known"
        try:
            text = read_current(self._aws, params.secret).text
        except (NotThere, StepFailed) as error:
            return "no", str(error)
        key_id = leaked_id(ctx)
        half = neighbour(text, key_id)
        if half is None:
            return "no", f"{params.secret} does not hold {ctx.preview} beside one secret key"
        if not self._aws.settings.probe:
            return "no", "trying is turned off (aws.probe_sessions)"
        pair = Credentials(
            access_key_id=SecretValue(key_id.encode()),
            secret_access_key=SecretValue(half.encode()),
        )
        tried = try_identity(self._aws, pair, agent=agent(ctx))
        held = tried.answer is Answer.ACCEPTED
        return ("yes" if held else "no"), f"STS, asked with the pair in {params.secret}: {tried}"
