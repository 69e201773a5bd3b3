"""AWS as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from stanch.responder.domain.check import Check
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.advice import advice
from stanch.responder.providers.aws.check import aws
from stanch.responder.providers.aws.setting import AwsSection
from stanch.responder.providers.aws.steps.activity import FindActivity
from stanch.responder.providers.aws.steps.consumer import FindConsumer, PutVersion, WithdrawVersion
from stanch.responder.providers.aws.steps.containment import DisableAccessKey, EnableAccessKey
from stanch.responder.providers.aws.steps.deletion import DeleteAccessKey
from stanch.responder.providers.aws.steps.image import ArchiveImage, RestoreImage
from stanch.responder.providers.aws.steps.key import ClassifyKey
from stanch.responder.providers.aws.steps.owner import FindOwner
from stanch.responder.providers.aws.steps.pair import TryPair
from stanch.responder.providers.aws.steps.possession import ProvePossession
from stanch.responder.providers.aws.steps.probe import ProbeSession
from stanch.responder.providers.aws.steps.promotion import PromoteVersion, RestoreVersion
from stanch.responder.providers.aws.steps.proof import ProveDead, ProveRefused
from stanch.responder.providers.aws.steps.replacement import (
    CreateReplacementKey,
    DeleteReplacementKey,
)
from stanch.responder.providers.aws.steps.role_session import AllowRoleSessions, DenyRoleSessions
from stanch.responder.providers.aws.steps.session_policy import AllowUserSessions, DenyUserSessions
from stanch.responder.providers.aws.steps.snapshot import SnapshotUser
from stanch.responder.providers.provider import Provider, Resolve
from stanch.responder.providers.setting import Section


def _connect(section: Section, resolve: Resolve) -> AwsClients:
    del resolve  # our identity comes from boto3's chain
    return AwsClients(_settings(section).as_settings())


def _checks(section: Section, permissions: Iterable[str]) -> Iterator[Check]:
    return aws(_settings(section).as_settings(), tuple(permissions))


def _settings(section: Section) -> AwsSection:
    if not isinstance(section, AwsSection):
        raise TypeError(f"not the aws section: {type(section).__name__}")
    return section


AWS: Provider[AwsClients] = Provider(
    name="aws",
    settings=AwsSection,
    connect=_connect,
    steps=(
        ClassifyKey,
        FindOwner,
        TryPair,
        SnapshotUser,
        ProbeSession,
        ProvePossession,
        DisableAccessKey,
        EnableAccessKey,
        DenyUserSessions,
        AllowUserSessions,
        ProveRefused,
        FindActivity,
        DenyRoleSessions,
        AllowRoleSessions,
        FindConsumer,
        CreateReplacementKey,
        DeleteReplacementKey,
        PutVersion,
        WithdrawVersion,
        PromoteVersion,
        RestoreVersion,
        DeleteAccessKey,
        ArchiveImage,
        RestoreImage,
        ProveDead,
    ),
    checks=_checks,
    advice=advice,
    words=MappingProxyType({"access-key": "AWS access key", "session": "AWS session"}),
)
