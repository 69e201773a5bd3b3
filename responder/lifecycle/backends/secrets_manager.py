"""AWS Secrets Manager: versions with stages, moved by compare-and-set."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from stanch.responder.lifecycle.backends.aws_call import (
    Otherwise,
    ask,
    change,
    keep_bodies_out_of_logs,
)
from stanch.responder.lifecycle.backends.naming import reference_at
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    Listed,
    Look,
    NotGiven,
    Present,
    Read,
    Stage,
    Unreachable,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.error import Unsupported
from stanch.responder.lifecycle.model.reference import PREVIOUS, Reference
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.scanner.model.secret import SecretValue

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NAME = "secrets-manager"
_STAGES = {
    "AWSPENDING": Stage.PENDING,
    "AWSCURRENT": Stage.CURRENT,
    "AWSPREVIOUS": Stage.PREVIOUS,
}
_LABELS = {stage: label for label, stage in _STAGES.items()}
_SHORTEST_ID = 32  # AWS does not even look for a version with less
_BATCH = 20  # BatchGetSecretValue takes no more
_SHORTEST, _LONGEST = timedelta(days=7), timedelta(days=30)
_TOKENS = uuid.UUID("6f2f3a52-6a0c-4f5e-9a0e-6d6b1d3f7a11")  # makes version ids of our tokens
_GONE: Otherwise = {"InvalidRequestException": lambda said: Absent(why=said)}  # being deleted


class SecretsManager:
    """The port over Secrets Manager. A secret is called like its reference's path."""

    name = NAME
    abilities = frozenset(Ability)

    def __init__(self, aws: AwsClients, *, attempts: int = 3) -> None:
        self._aws = aws
        self._attempts = attempts
        keep_bodies_out_of_logs()

    def read(self, reference: Reference) -> Read:
        """Asked for by its stage, or by the version's id."""
        if reference.version not in {"", PREVIOUS} and len(reference.version) < _SHORTEST_ID:
            return Absent(why=f"{NAME} has no version {reference.version}")
        return self._read(reference, _wanted(reference.version))

    def read_pending(self, reference: Reference) -> Read:
        """The AWSPENDING version."""
        return self._read(reference, {"VersionStage": "AWSPENDING"}, pending=True)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Twenty in one call; what the batch does not answer, or an older version, one by one."""
        answers: dict[Reference, Read] = {}
        plain = [each for each in dict.fromkeys(references) if not each.version]
        for at in range(0, len(plain), _BATCH):
            answers |= self._batch(plain[at : at + _BATCH])
        return {each: answers.get(each) or self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        """DescribeSecret; no value is opened."""
        found = ask(
            "secretsmanager:DescribeSecret",
            lambda: self._asking().describe_secret(SecretId=reference.path),
        )
        if isinstance(found, NotGiven):
            return self._told(found)
        return _described(found, versions="VersionIdsToStages")

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """ListSecrets, also those that are being deleted."""
        token = ""
        while True:
            page = ask("secretsmanager:ListSecrets", partial(self._page, under, token))
            if isinstance(page, Denied | Unreachable):
                yield page
            if isinstance(page, NotGiven):
                return
            for each in page["SecretList"]:
                if each["Name"].startswith(under):
                    yield Listed(
                        reference=reference_at(each["Name"]),
                        described=_described(each, versions="SecretVersionsToStages"),
                    )
            token = page.get("NextToken", "")
            if not token:
                return

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        """CreateSecret; the value is current at once, there is no other."""
        found = change(
            "secretsmanager:CreateSecret",
            lambda: self._changing().create_secret(
                Name=reference.path,
                ClientRequestToken=str(uuid.uuid4()),
                Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
                **_as_sent(value),
            ),
            conflicts=("ResourceExistsException", "InvalidRequestException"),
        )
        if isinstance(found, NotGiven | Conflict):
            return found
        return Written(version=found["VersionId"])

    def annotate(self, reference: Reference, tags: Mapping[str, str]) -> Write:
        """TagResource."""
        found = ask(
            "secretsmanager:TagResource",
            lambda: self._changing().tag_resource(
                SecretId=reference.path,
                Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
            ),
            otherwise=_GONE,
        )
        return found if isinstance(found, NotGiven) else Written(version="")

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        """PutSecretValue as AWSPENDING: without a stage it would be current at once."""
        version = str(uuid.uuid5(_TOKENS, token))
        look = self.describe(reference)
        if not isinstance(look, Described):
            return look
        other = look.at(Stage.PENDING)
        if other not in {None, version}:
            return Conflict(why=f"{reference}: version {other} is pending already")
        found = change(
            "secretsmanager:PutSecretValue",
            lambda: self._changing().put_secret_value(
                SecretId=reference.path,
                ClientRequestToken=version,
                VersionStages=["AWSPENDING"],
                **_as_sent(value),
            ),
            conflicts=("ResourceExistsException", "InvalidRequestException"),
        )
        return found if isinstance(found, NotGiven | Conflict) else Written(version=version)

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        """Move AWSCURRENT from ``current``; AWS refuses if it is not there any more."""
        look = self.describe(reference)
        if not isinstance(look, Described):
            return look
        if look.at(Stage.CURRENT) != pending:
            if look.at(Stage.PENDING) != pending:
                return Absent(why=f"{reference}: version {pending} is not pending")
            if look.at(Stage.CURRENT) != current:
                return Conflict(why=f"{reference}: version {current} is not the current one")
            moved = self._move(reference, Stage.CURRENT, to=pending, off=current)
            if not isinstance(moved, Written):
                return moved
        # AWS leaves this label where it was, and it would block every rotation after this one.
        left = look.versions.get(pending, frozenset()) & {Stage.PENDING}
        return self._unlabel(reference, pending, left)

    def withdraw(self, reference: Reference, *, version: str) -> Write:
        """Take its labels away; what has none is read by nobody through us, and AWS removes it."""
        look = self.describe(reference)
        if not isinstance(look, Described):
            return look
        if look.at(Stage.CURRENT) == version:
            return Conflict(why=f"{reference}: version {version} is the current one")
        return self._unlabel(reference, version, look.versions.get(version, frozenset()))

    def delete(self, reference: Reference, *, window: timedelta) -> Write:
        """DeleteSecret: nobody can read it from now on."""
        if window and not _SHORTEST <= window <= _LONGEST:
            raise Unsupported(
                f"{reference}: {NAME} keeps what is deleted for 7 to 30 days, not {window.days}",
                remedy="name such a window, or 0 to remove it at once and for good",
            )
        how: dict[str, Any] = (
            {"RecoveryWindowInDays": window.days}
            if window
            else {"ForceDeleteWithoutRecovery": True}
        )
        found = change(
            "secretsmanager:DeleteSecret",
            lambda: self._changing().delete_secret(SecretId=reference.path, **how),
            conflicts=("InvalidRequestException",),
        )
        return found if isinstance(found, NotGiven | Conflict) else Written(version="")

    def close(self) -> None:
        """The clients are whoever's who made them."""

    def _told(self, found: NotGiven) -> NotGiven:
        """With the Region, where it is absent: a secret is often only looked for in another."""
        if not isinstance(found, Absent):
            return found
        return Absent(why=f"{found.why} (Region {self._aws.settings.region})")

    def _asking(self) -> SecretsManagerClient:
        return self._aws.secretsmanager(attempts=self._attempts)

    def _changing(self) -> SecretsManagerClient:
        return self._aws.secretsmanager(attempts=1)

    def _page(self, under: str, token: str) -> Any:
        names: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [under]}]} if under else {}
        more: dict[str, Any] = {"NextToken": token} if token else {}
        return self._asking().list_secrets(IncludePlannedDeletion=True, **names, **more)

    def _read(
        self, reference: Reference, version: Mapping[str, str], *, pending: bool = False
    ) -> Read:
        found = ask(
            "secretsmanager:GetSecretValue",
            lambda: self._asking().get_secret_value(SecretId=reference.path, **version),
            otherwise=_GONE,
        )
        if isinstance(found, NotGiven):
            return self._told(found)
        return _present(reference, found, pending=pending)

    def _batch(self, references: Sequence[Reference]) -> dict[Reference, Read]:
        known = {each.path: each for each in references}
        found = ask(
            "secretsmanager:BatchGetSecretValue",
            lambda: self._asking().batch_get_secret_value(SecretIdList=list(known)),
        )
        if isinstance(found, NotGiven):
            return {}  # perhaps only the batch is not allowed: each is asked for by itself
        return {
            known[each["Name"]]: _present(known[each["Name"]], each)
            for each in found["SecretValues"]
            if each["Name"] in known
        }

    def _move(self, reference: Reference, stage: Stage, *, to: str, off: str) -> Write:
        found = change(
            "secretsmanager:UpdateSecretVersionStage",
            lambda: self._changing().update_secret_version_stage(
                SecretId=reference.path,
                VersionStage=_LABELS[stage],
                MoveToVersionId=to,
                RemoveFromVersionId=off,
            ),
            conflicts=("InvalidParameterException", "InvalidRequestException"),
        )
        return found if isinstance(found, NotGiven | Conflict) else Written(version=to)

    def _unlabel(self, reference: Reference, version: str, stages: frozenset[Stage]) -> Write:
        for stage in sorted(stages):
            found = change(
                "secretsmanager:UpdateSecretVersionStage",
                partial(
                    self._changing().update_secret_version_stage,
                    SecretId=reference.path,
                    VersionStage=_LABELS[stage],
                    RemoveFromVersionId=version,
                ),
                conflicts=("InvalidParameterException",),  # it was taken away already
            )
            if isinstance(found, NotGiven):
                return found
        return Written(version=version)


def _wanted(version: str) -> dict[str, str]:
    if not version:
        return {"VersionStage": "AWSCURRENT"}
    return {"VersionStage": "AWSPREVIOUS"} if version == PREVIOUS else {"VersionId": version}


def _present(reference: Reference, found: Any, *, pending: bool = False) -> Read:
    stages = {_STAGES[label] for label in found.get("VersionStages", ()) if label in _STAGES}
    if not pending and not stages & {Stage.CURRENT, Stage.PREVIOUS}:
        state = "still pending" if stages else "withdrawn"
        return Absent(why=f"{reference}: that version is {state}")
    text = found.get("SecretString")
    value = found.get("SecretBinary", b"") if text is None else text.encode()
    if not value:
        return Absent(why=f"{reference}: the value is empty")
    return Present(
        value=SecretValue(value), version=found["VersionId"], created_at=_utc(found, "CreatedDate")
    )


def _described(found: Any, *, versions: str) -> Described:
    return Described(
        place=found["ARN"],
        tags={each["Key"]: each["Value"] for each in found.get("Tags", ())},
        versions={
            version: frozenset(_STAGES[label] for label in labels if label in _STAGES)
            for version, labels in (found.get(versions) or {}).items()
        },
        created_at=_utc(found, "CreatedDate"),
        changed_at=_utc(found, "LastChangedDate"),
        used_at=_utc(found, "LastAccessedDate"),
        deleted_at=_utc(found, "DeletedDate"),
        rotates_itself=bool(found.get("RotationEnabled")),
    )


def _as_sent(value: SecretValue) -> dict[str, Any]:
    """As text where it is text, so that other readers of the secret get what they expect."""
    try:
        return {"SecretString": value.reveal().decode("utf-8")}
    except UnicodeDecodeError:
        return {"SecretBinary": value.reveal()}


def _utc(found: Any, key: str) -> datetime | None:
    at: datetime | None = found.get(key)
    return at.astimezone(UTC) if at is not None else None
