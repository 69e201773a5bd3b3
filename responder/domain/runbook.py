"""A runbook as written: phases, steps and who must approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Phase(StrEnum):
    """The five phases, in order."""

    CONTAIN = "contain"
    IDENTIFY = "identify"
    REVOKE = "revoke"
    AUDIT = "audit"
    PREVENT = "prevent"


class Silence(StrEnum):
    """What happens when nobody decides before the approval expires."""

    HOLD = "hold"  # stay as we are, ask again when someone asks
    PROCEED = "proceed"  # silence is consent
    ABORT = "abort"  # leave the step out and end the run there


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who must approve, how long they have, and what their silence means."""

    id: str
    title: str
    group: str
    expires: timedelta
    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookStep:
    """One line of a runbook. ``params`` may hold ``${step-id.output}`` references."""

    id: str
    phase: Phase
    uses: str
    params: Mapping[str, str]
    after: tuple[str, ...]
    approval: str | None
    origin: str  # file:line


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """The whole answer to one kind of leak."""

    id: str
    version: int
    title: str
    provider: str
    kind: str
    steps: tuple[RunbookStep, ...]
    policies: Mapping[str, Policy]
    # The steps whose success moves the incident on.
    contained_by: str
    proven_dead_by: str
