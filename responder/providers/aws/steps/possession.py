"""Whether the secret that is said to hold the leaked key really holds it."""

from __future__ import annotations

from typing import ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import NotThere
from stanch.responder.providers.aws.adapter.identity import agent, leaked_id
from stanch.responder.providers.aws.adapter.secret import neighbour, read_current
from stanch.responder.providers.aws.steps.consumer import Consumer
from stanch.scanner.model.secret import SecretValue


class ProvePossession:
    """While the key still works: sign in with the pair inside the secret.

    Anybody who may write a secret can put a key's *id* into one. Writing a new key of that user
    into it would hand the user over. When the whole key leaked, the secret's text is compared with
    it later and nothing is tried here; when only the id leaked, STS must accept the pair, and that
    can be asked only before the key is disabled.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.prove_possession",
        title="Prove that the consumer's secret holds the key",
        effect=Effect.READ,
        params=Consumer,
        permissions=("secretsmanager:GetSecretValue",),
        parts=("access_key_id", "secret_access_key"),
        outputs=("proven",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Consumer, preview: str) -> tuple[Call, ...]:
        """What is asked when only the id leaked."""
        return (
            Call(api="secretsmanager:GetSecretValue", arguments={"SecretId": params.secret}),
            Call(api="sts:GetCallerIdentity", arguments={"as": f"the pair of {preview} in it"}),
        )

    def look(self, params: Consumer, ctx: StepContext) -> Verdict:
        """``proven`` is ``yes``, ``no``, or ``compare`` when the leak holds both halves."""
        proven, why = self._prove(params, ctx)
        return Verified(evidence={"proven": proven, "why": why}, outputs={"proven": proven})

    def _prove(self, params: Consumer, ctx: StepContext) -> tuple[str, str]:
        if ctx.has("secret_access_key"):
            return "compare", "the leak holds both halves, so the secret's text is compared"
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
