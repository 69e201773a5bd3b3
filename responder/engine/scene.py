"""What a worker sees when it looks for steps to take, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.incident import Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.planner import outputs_of
from stanch.responder.engine.reference import Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one claiming looks at."""

    tx: Transaction
    run: Run
    incident: Incident
    runbook: Runbook
    steps: tuple[StepRun, ...]
    now: datetime
    events: tuple[Event, ...]  # what the record says, valid under its key

    @property
    def outputs(self) -> Outputs:
        """What the run has found out so far."""
        return outputs_of(self.steps)

    @property
    def account(self) -> str:
        """Provider and account, as the run has found out; the provider alone while it has not."""
        found = (str(each["account"]) for each in self.outputs.values() if each.get("account"))
        return f"{self.incident.provider} {next(found, '')}".strip()

    def facts(self) -> Mapping[str, str]:
        """What a policy may look at: ``owner.protected`` to ``yes``, and the incident's state."""
        found: dict[str, str] = {"incident.state": self.incident.state.value}
        for step, outputs in self._found().items():
            found |= {f"{step}.{name}": str(value) for name, value in outputs.items()}
        return found

    def _found(self) -> Outputs:
        """An undo rests on what the runs found that it takes back."""
        if self.run.kind is RunKind.RESPOND:
            return self.outputs
        runs = (run for run in self.tx.runs.of(self.incident.id) if run.kind is RunKind.RESPOND)
        return outputs_of(step for run in runs for step in self.tx.runs.steps(run.id))

    def record(self, action: str, detail: JsonObject) -> None:
        """An entry about this incident, made by nobody in particular."""
        self.tx.ledger.append(
            Event(
                at=self.now,
                actor="system",
                action=action,
                incident=self.incident.id,
                detail=detail,
            )
        )
