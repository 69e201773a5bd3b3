"""Card -> a panel of at most 80 columns that reads without colour. Pure."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.card import CLAIMED, Ask, Card, Mark, Next, Tone
from stanch.responder.domain.ids import label
from stanch.responder.domain.runbook import Phase
from stanch.responder.terminal.text import clip, visible

WIDTH = 80
_MAX_CALL = 400
_STYLE = {
    Tone.ALARM: "bold red",
    Tone.WAITING: "bold yellow",
    Tone.SAFE: "bold green",
    Tone.FAILED: "bold red",
}
_MARK_STYLE = {
    Mark.DONE: "green",
    Mark.NOW: "bold",
    Mark.FAILED: "bold red",
    Mark.AHEAD: "dim",
}


def panel(card: Card) -> Panel:
    """The whole card: state first, then what is true, then what is wanted."""
    parts: list[RenderableType] = []
    if card.warning is not None:
        parts += [Text(visible(card.warning), style="bold red"), Text()]
    parts.append(Text(visible(card.summary)))
    if card.failure is not None:
        failed = Text("Failed: ", style="bold red")
        parts.append(failed.append(visible(card.failure), style="not bold"))
    if card.phases:
        parts += [Text(), phase_line(card.phases)]
    if card.facts:
        parts += [Text(), _facts(card)]
    if card.by_hand:
        parts += [Text(), *_by_hand(card)]
    if card.ask is not None:
        parts += [Text(), *_ask(card, card.ask)]
    elif card.next:
        parts += [Text(), *(part for step in card.next for part in _next(step))]
    style = _STYLE[card.tone]
    return Panel(
        Group(*parts),
        title=Text(clip(visible(card.headline), WIDTH - 8), style=style),
        title_align="left",
        subtitle=Text(f"updated {clock(card.updated_at)}", style="dim"),
        subtitle_align="right",
        border_style=style,
        width=WIDTH,
        padding=(0, 2),
    )


def phase_line(phases: tuple[tuple[Phase, Mark], ...]) -> Text:
    """``✓ contain ▸ … identify (now) ▸ revoke``: said in words too, not by colour alone."""
    line = Text()
    for index, (phase, mark) in enumerate(phases):
        line.append(" ▸ " if index else "", style="dim")
        said = f"{mark.sign} {phase.value.capitalize()}"
        line.append(f"{said} ({mark.words})" if mark.urgent else said, style=_MARK_STYLE[mark])
    return line


def _facts(card: Card) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", max_width=20)
    table.add_column(overflow="fold")
    for name, value in card.facts:
        table.add_row(Text(visible(name)), Text(visible(value)))
    return table


def _next(step: Next) -> list[RenderableType]:
    """What to do, and the command in a line of its own, so that it can be copied."""
    said = Text(f"{visible(step.what).capitalize()}:" if step.command else visible(step.what))
    return [said, command(step.command)] if step.command else [said]


def command(typed: str) -> Padding:
    """A command as it is typed."""
    return Padding(Text(visible(typed), style="bold", no_wrap=True), (0, 0, 0, 2))


def _by_hand(card: Card) -> list[RenderableType]:
    steps = [
        Padding(Text(clip(visible(step), _MAX_CALL), overflow="fold"), (0, 0, 0, 2))
        for step in card.by_hand
    ]
    return [Text("By hand at the provider, meanwhile:"), *steps]


def _ask(card: Card, ask: Ask) -> list[RenderableType]:
    calls: list[RenderableType] = [
        Padding(Text(clip(visible(call), _MAX_CALL), style="cyan", overflow="fold"), (0, 0, 0, 2))
        for call in ask.calls
    ]
    return [
        Rule(Text("Decision wanted", style="bold"), align="left", style="dim"),
        Text(visible(ask.title), style="bold"),
        *calls,
        Text(),
        Text(f"Asked by {visible(ask.requester)}; it is decided by {visible(ask.whom)}."),
        Text(f"Expires {clock(ask.expires_at)}. "),
        Text(f"If nobody decides: {visible(ask.silence).rstrip('.')}."),
        Text("Decide with:"),
        command(f"stanch approve {label(card.incident)} --as NAME"),
        *([Text(CLAIMED, style="dim")] if ask.claimed else []),
    ]


def clock(at: datetime) -> str:
    """An instant as people compare it with a log."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
