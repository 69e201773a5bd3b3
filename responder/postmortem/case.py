"""The case file: everything a postmortem is built from, gathered by a service beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stanch.responder.domain.approval import Approval
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.step import StepSpec
from stanch.responder.domain.timeline import Entry
from stanch.responder.postmortem.advice import Draft, Facts


def _no_more(facts: Facts) -> Iterable[Draft]:
    del facts
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """One incident with all that belongs to it. Holds no secret, only the masked preview.

    ``runs`` are oldest first, each with its steps by position; ``entries`` are the ledger's entries
    of this incident by sequence. ``ledger_verdict`` is the sentence that the verification of the
    whole ledger ended with, ``ledger_head`` the digest of its newest entry. ``specs`` maps
    ``StepRun.uses`` to the step's declaration; a step without one is shown by its name, and whether
    it can be undone is said to be unknown. ``noun`` is what leaked, in people's words, and
    ``advice`` drafts what its provider adds to the action items.
    """

    incident: Incident
    exposures: tuple[Exposure, ...]
    runs: tuple[tuple[Run, tuple[StepRun, ...]], ...]
    approvals: tuple[Approval, ...]
    entries: tuple[Entry, ...]
    ledger_verdict: str
    ledger_head: str | None
    specs: Mapping[str, StepSpec] = field(default_factory=dict)
    differs: tuple[str, ...] = ()  # what the store says and the record does not
    noun: str = "credential"
    advice: Callable[[Facts], Iterable[Draft]] = _no_more
