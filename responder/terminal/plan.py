"""A plan as a table: every step with its exact calls."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.ids import label
from stanch.responder.domain.plan import Plan, PlannedStep
from stanch.responder.domain.step import Effect
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


def _what(step: PlannedStep) -> Text:
    text = Text(f"{step.title}  ", style="bold").append(step.id, style="not bold dim")
    for call in step.calls:
        text.append(f"\n  {visible(str(call))}", style="not bold")
    if step.policy:
        policy = step.policy
        wants = (
            f"wants a person of {policy.group}, within {policy.expires}; silence: {policy.silence}"
        )
        text.append(f"\n  {wants}", style="not bold yellow")
    return text


def _effect(step: PlannedStep) -> Text:
    styles = {Effect.READ: "dim", Effect.REVERSIBLE: "green", Effect.FINAL: "bold red"}
    return Text(_EFFECT[step.effect], style=styles[step.effect])
