"""The consumer's secret in Secrets Manager: reading it, and writing the new key into its text.

Text and values stay inside this module's callers' memory: nothing here is logged or put into an
error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.step import Call
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import NotThere, calling

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: forty characters.
_SECRET_KEY = re.compile(r"[A-Za-z0-9/+]{40}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a secret. ``text`` is secret, so it is kept out of the repr."""

    version: str
    text: str = field(repr=False)


def read_current(aws: AwsClients, secret: str) -> Version:
    """The AWSCURRENT version, asked for by its stage."""
    return _read(aws, secret, {"VersionStage": "AWSCURRENT"})


def read_version(aws: AwsClients, secret: str, version: str) -> Version:
    """One version by its id. Raises :class:`NotThere` when there is none."""
    return _read(aws, secret, {"VersionId": version})


def stages_of(aws: AwsClients, secret: str) -> dict[str, list[str]]:
    """Version ids with their stages. Raises StepFailed when there is no such secret."""
    try:
        with calling("secretsmanager:DescribeSecret"):
            answer = aws.secretsmanager().describe_secret(SecretId=secret)
    except NotThere:
        raise StepFailed(
            f"there is no secret {secret}",
            remedy="correct the user's tag stanch:secret, or aws.replacement_secret",
        ) from None
    return dict(answer.get("VersionIdsToStages", {}))


def move_stage(
    aws: AwsClients, secret: str, stage: str, *, to: str | None = None, removed: str
) -> str:
    """Take ``stage`` off the version ``removed`` and put it on ``to``; the request's id."""
    target = {"MoveToVersionId": to} if to else {}
    with calling("secretsmanager:UpdateSecretVersionStage"):
        answer = aws.secretsmanager(attempts=1).update_secret_version_stage(
            SecretId=secret, VersionStage=stage, RemoveFromVersionId=removed, **target
        )
    return answer["ResponseMetadata"]["RequestId"]


def stage_call(secret: str, stage: str, *, to: str | None = None, removed: str) -> Call:
    """The call that :func:`move_stage` makes, for the plan."""
    target = {"MoveToVersionId": to} if to else {}
    return Call(
        api="secretsmanager:UpdateSecretVersionStage",
        arguments={
            "SecretId": secret,
            "VersionStage": stage,
            **target,
            "RemoveFromVersionId": removed,
        },
    )


def version_at(stages: dict[str, list[str]], stage: str) -> str | None:
    """The version id that carries ``stage``."""
    return next((version for version, at in stages.items() if stage in at), None)


def holds_pair(text: str, pair: Credentials) -> bool:
    """Whether both halves of the pair stand in the text."""
    plain = _unescaped(text)
    return (
        pair.access_key_id.reveal().decode() in plain
        and pair.secret_access_key.reveal().decode() in plain
    )


def rewritten(text: str, *, old_id: str, old_secret: str | None, new: Credentials) -> str:
    """``text`` with the old pair replaced by the new one and every other byte kept.

    Works on any text (JSON, ini, environment file). When only the old id is known, the text must be
    a JSON object whose field next to the id is the only one that looks like a secret key.

    Raises:
        StepFailed: the old pair is not in the text, so somebody or something else owns it.
    """
    plain = _unescaped(text)
    secret = old_secret if old_secret and old_secret in plain else neighbour(text, old_id)
    if old_id not in text or secret is None:
        raise StepFailed(
            "the secret does not hold the leaked key in a form that can be rewritten",
            remedy="put the new key there by hand, in the shape its consumers read",
        )
    result = text.replace(old_id, new.access_key_id.reveal().decode())
    fresh = new.secret_access_key.reveal().decode()
    # JSON writers may escape the slash; both forms are the same value.
    for old in {secret, secret.replace("/", "\\/")}:
        result = result.replace(old, fresh)
    return result


def neighbour(text: str, old_id: str) -> str | None:
    """The one value beside the id that looks like a secret access key."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    for table in _tables(parsed):
        if old_id in table.values():
            looks = {v for v in table.values() if isinstance(v, str) and _SECRET_KEY.match(v)}
            return looks.pop() if len(looks) == 1 else None
    return None


def _tables(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _tables(item)
    elif isinstance(value, list):
        for item in value:
            yield from _tables(item)


def _unescaped(text: str) -> str:
    return text.replace("\\/", "/")


def _read(aws: AwsClients, secret: str, which: dict[str, str]) -> Version:
    with calling("secretsmanager:GetSecretValue"):
        answer = aws.secretsmanager().get_secret_value(SecretId=secret, **which)
    if "SecretString" not in answer:
        raise StepFailed(
            f"{secret} is binary", remedy="put the new key there by hand and promote the version"
        )
    return Version(version=answer["VersionId"], text=answer["SecretString"])
