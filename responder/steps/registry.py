"""Every step there is, as a list that can be read. A new step is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from stanch.responder.domain.step import Step, StepSpec
from stanch.responder.steps.aws_activity import FindActivity
from stanch.responder.steps.aws_client import AwsClients
from stanch.responder.steps.aws_consumer import FindConsumer, PutVersion, WithdrawVersion
from stanch.responder.steps.aws_containment import DisableAccessKey, EnableAccessKey
from stanch.responder.steps.aws_deletion import DeleteAccessKey
from stanch.responder.steps.aws_key import ClassifyKey
from stanch.responder.steps.aws_owner import FindOwner
from stanch.responder.steps.aws_probe import ProbeSession
from stanch.responder.steps.aws_promotion import PromoteVersion, RestoreVersion
from stanch.responder.steps.aws_proof import ProveDead, ProveRefused
from stanch.responder.steps.aws_replacement import CreateReplacementKey, DeleteReplacementKey
from stanch.responder.steps.aws_session_policy import AllowUserSessions, DenyUserSessions
from stanch.responder.steps.aws_snapshot import SnapshotUser

# In the order in which a runbook tends to use them, each change followed by what takes it back.
_AWS: tuple[Any, ...] = (
    ClassifyKey,
    FindOwner,
    SnapshotUser,
    ProbeSession,
    DisableAccessKey,
    EnableAccessKey,
    DenyUserSessions,
    AllowUserSessions,
    ProveRefused,
    FindActivity,
    FindConsumer,
    CreateReplacementKey,
    DeleteReplacementKey,
    PutVersion,
    WithdrawVersion,
    PromoteVersion,
    RestoreVersion,
    DeleteAccessKey,
    ProveDead,
)

SPECS: Mapping[str, StepSpec] = MappingProxyType({step.spec.name: step.spec for step in _AWS})


def build(aws: AwsClients) -> Mapping[str, Step]:
    """All steps by name, ready to run with these clients."""
    # cast: the engine gives each step only parameters converted to its own spec.params.
    steps = (cast("Step", step(aws)) for step in _AWS)
    return MappingProxyType({step.spec.name: step for step in steps})
