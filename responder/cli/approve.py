"""``stanch approve``: give or refuse the approval an incident waits for."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from stanch.responder.cli.session import caller, house, known, watch, working
from stanch.responder.domain.approval import find_person
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label
from stanch.responder.domain.step import Effect
from stanch.responder.services.approvals import Question
from stanch.responder.services.cards import LASTING
from stanch.responder.terminal.text import visible


@click.command("approve")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who decides. Default: your login name.")
@click.option("--refuse", is_flag=True, help="Refuse instead: the credential stays contained.")
@click.option("--reason", metavar="TEXT", help="Why; it goes on the record.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(incident: str, name: str | None, refuse: bool, reason: str | None, yes: bool) -> None:  # noqa: FBT001  # click passes by name
    """Decide on the step that incident LK-n waits for, then let its run go on.

    The decision is bound to the exact calls shown. Who asked for the response cannot give it, and
    only members of the policy's group can.

    Exit codes: 0 decided, 1 the run failed afterwards, 2 refused by a rule, or usage.
    """
    console = Console(highlight=False)
    with house() as opened:
        # Before anything is asked of them: is there such an incident, and are they somebody?
        number, by = known(opened, incident), caller(opened.settings, name)
        find_person(opened.approvals.people, by.name)
        question = opened.approvals.question(opened.approvals.open_for(number))
        _show(question, console)
        if not yes:
            _confirm(question, refuse=refuse)
        seen = opened.cards.card(number)
        opened.approvals.decide(
            question.approval.id,
            by=by,
            granted=not refuse,
            reason=reason or _reason(),
        )
        console.print(f"{'refused' if refuse else 'approved'} by {by.name}: on the record")
        with working(opened):
            fine = watch(opened, (number,), console, seen=(seen,))
    sys.exit(0 if fine else 1)


def _show(question: Question, console: Console) -> None:
    step, approval = question.step, question.approval
    about = f"{label(approval.incident)}: {step.title}: {question.preview}. {LASTING[step.effect]}"
    console.print(Text(visible(about)))
    for call in step.calls:
        console.print(Padding(Text(visible(str(call)), overflow="fold"), (0, 0, 0, 2)))
    console.print(
        f"  asked by {approval.requester}, open until {approval.expires_at:%Y-%m-%d %H:%M} UTC, "
        f"plan {question.plan_hash[:12]}"
    )


def _confirm(question: Question, *, refuse: bool) -> None:
    name = label(question.approval.incident)
    if not sys.stdin.isatty():
        raise UsageError(
            "a decision needs a terminal to confirm it",
            remedy=f"`stanch approve {name} --as NAME --yes --reason TEXT` does without",
        )
    if refuse or question.step.effect is not Effect.FINAL:
        click.confirm("Refuse?" if refuse else "Approve?", abort=True)
        return
    if click.prompt(f"To approve, type {name}").strip().upper() != name:
        remedy = f"nothing was done; look again: `stanch incidents {name}`"
        raise UsageError(f"that is not {name}", remedy=remedy)


def _reason() -> str:
    if not sys.stdin.isatty():
        raise UsageError("a decision needs a reason", remedy="add --reason TEXT")
    return str(click.prompt("Reason"))
