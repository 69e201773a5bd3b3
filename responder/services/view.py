"""All that a card is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.approval import Approval
from stanch.responder.domain.card import Ask
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.status import Status
from stanch.responder.domain.step import StepSpec
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.inventory.known import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One incident with its newest run, as of ``now``."""

    incident: Incident
    exposures: tuple[Exposure, ...]
    run: Run | None
    steps: tuple[StepRun, ...]
    specs: Mapping[str, StepSpec]  # by step name
    credential: str  # what leaked, in people's words
    now: datetime
    background: tuple[StepRun, ...] = ()  # what the response had found out, once an undo ran
    ask: Ask | None = None
    lapsed: bool = False  # a question was asked and nobody answered in time
    answered: bool = True  # some runbook answers this kind of credential
    why: str = ""  # a decision is wanted
    stuck: str = ""  # why what is asked cannot be shown
    undo: Run | None = None  # it was asked for, and has begun nothing
    denied: Approval | None = None  # the question that ended the run
    closed: Event | None = None  # the word that closed it
    differs: tuple[str, ...] = ()  # what the store says and the record does not
    by_hand: tuple[str, ...] = ()  # what a person can do at the provider while we cannot
    known: tuple[Known, ...] = ()  # the entries of the inventory that have this value

    @property
    def status(self) -> Status:
        """Where it stands."""
        said = str(self.closed.detail.get("disposition") or "") if self.closed else ""
        return Status(
            incident=self.incident,
            run=self.run,
            steps=self.steps,
            disposition=said,
            undo=self.undo,
        )

    def title(self, step: StepRun) -> str:
        """What the step is called."""
        spec = self.specs.get(step.uses)
        return spec.title if spec else step.uses
