"""A plan as a table: every step with its exact calls."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.ids import label
from stanch.responder.domain.plan import Plan, PlannedStep
from stanch.responder.domain.step import Effect
from stanch.responder.postmortem.text import span
from stanch.responder.services.cards import SILENCE
from stanch.responder.terminal.text import visible

_EFFECT = {Effect.READ: "looks", Effect.REVERSIBLE: "can be undone", Effect.FINAL: "FINAL"}


def plan_table(planned: Plan) -> Table:
    """The whole plan; what is not opened yet goes by what leaked."""
    about = label(planned.incident) if planned.incident else planned.preview
    title = f"{visible(about)}: {planned.runbook} v{planned.runbook_version}"
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("Phase")
    table.add_column("What, with its exact calls", overflow="fold")
    table.add_column("Effect", no_wrap=True)
    before = None
    for step in planned.steps:
        table.add_row("" if step.phase is before else step.phase, _what(step), _effect(step))
        before = step.phase
    return table


def _what(step: PlannedStep) -> Group:
    """The step, its calls one below the other, and who must agree."""
    title = Text(f"{step.title}  ", style="bold").append(step.id, style="not bold dim")
    lines = [Text(visible(str(call)), overflow="fold") for call in step.calls]
    if step.policy:
        policy = step.policy
        lines.append(
            Text(
                f"wants a person of {policy.group} within {span(policy.expires)}; "
                f"if nobody decides: {SILENCE[policy.silence]}",
                style="yellow",
            )
        )
    return Group(title, *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _effect(step: PlannedStep) -> Text:
    styles = {Effect.READ: "dim", Effect.REVERSIBLE: "green", Effect.FINAL: "bold red"}
    return Text(_EFFECT[step.effect], style=styles[step.effect])
