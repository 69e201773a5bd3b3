"""In every state the card says what is true, and a safe next step wherever nothing goes on."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from stanch.responder.cli.main import COMMANDS
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.run import Run, RunKind, RunState
from stanch.responder.services.drawing import draw
from stanch.responder.services.view import View

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOES_ON = {RunState.RUNNING, RunState.WAITING_APPROVAL}


def view(state: IncidentState, run: RunState | None, kind: RunKind, *, answered: bool) -> View:
    incident = Incident(
        id=IncidentId(7), fingerprint="v1:00", provider="acme", kind="token",
        preview="acme…7Q2M", severity="high", state=state, sealed=SealedRef("sealed:none"),
        root="payments", detected_at=NOW,
        proven_dead_at=NOW if state is IncidentState.PROVEN_DEAD else None,
    )  # fmt: skip
    newest = None
    if run is not None:
        newest = Run(
            id=RunId("r"), incident=incident.id, kind=kind, runbook="acme", runbook_version=1,
            state=run, requester="alice", started_at=NOW, pinned="", digest="",
        )  # fmt: skip
    return View(
        incident=incident, exposures=(), run=newest, steps=(), specs={}, credential="acme token",
        now=NOW, answered=answered,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "run", "kind"), list(itertools.product(IncidentState, [None, *RunState], RunKind))
)
def test_where_nothing_goes_on_a_command_is_named(
    state: IncidentState, run: RunState | None, kind: RunKind
) -> None:
    for answered in (True, False):
        card = draw(view(state, run, kind, answered=answered))
        assert card.summary
        assert card.state
        if state is not IncidentState.CLOSED and run not in GOES_ON:
            assert card.next
        for step in card.next:
            assert step.command is not None
            name, command, *_ = step.command.split()
            assert name == "stanch"
            assert command in COMMANDS


def test_what_may_work_is_said_until_something_is_known() -> None:
    card = draw(view(IncidentState.OPEN, RunState.PAUSED, RunKind.RESPOND, answered=True))
    assert card.summary.startswith(
        "Nobody has tried it. It may work for whoever has it. Paused by a person"
    )
