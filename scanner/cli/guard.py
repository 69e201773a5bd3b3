"""``stanch guard``: a hook for AI assistants."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import click

from stanch.scanner.api import Confidence
from stanch.scanner.hook.ai_event import LARGEST, Decision, judged
from stanch.scanner.hook.build import Choice, accepted, gate
from stanch.scanner.model.error import ScannerError, defect, ending, rendered
from stanch.scanner.scan.trust import Trust, standing

_BLOCK = 2  # the exit code by which assistants' hooks say no


@click.command("guard")
@click.option(
    "--min-confidence",
    type=click.Choice([each.value for each in Confidence]),
    default=Confidence.MEDIUM.value,
    show_default=True,
    help="What blocks.",
)
@click.option("--baseline", metavar="FILE", help="Accepted findings. Default: none.")
@click.option(
    "--trust",
    type=click.Choice([each.value for each in Trust]),
    default=Trust.NONE.value,
    show_default=True,
    help="Whose rules, baseline and markers count: nobody's (none), the default branch's (base), "
    "or those of the working directory (tree), in which the assistant may write.",
)
def command(min_confidence: str, baseline: str | None, trust: str) -> None:
    """Judge one event of an AI assistant's hook: a JSON object on standard input.

    The answer is {"decision": "allow" or "block", "reason": …} on standard output; what blocks is
    also said on standard error.

    Exit codes: 0 allow, 2 block: credentials, an event that is not understood, or something that
    could not be read.
    """
    choice = Choice(
        min_confidence=Confidence(min_confidence), baseline=baseline, trust=Trust(trust)
    )
    try:
        decision = _decided(choice, Path.cwd())
    except ScannerError as error:
        decision = Decision(
            block=True, reason=rendered(error, ending(error.remedy, "stanch guard --help"))
        )
    except Exception as error:  # noqa: BLE001  # assistants take every code but this one for a yes
        decision = Decision(block=True, reason=defect(error))
    click.echo(decision.as_json())
    if decision.block:
        click.echo(decision.reason, err=True)
        sys.exit(_BLOCK)


def _decided(choice: Choice, place: Path) -> Decision:
    today = date.today()  # noqa: DTZ011  # an expiry is a day on the reader's calendar
    found = standing(choice.trust, place)
    suppressor = accepted(choice, os.environ, place, today=today, standing=found)
    door = gate(choice, os.environ, suppressor=suppressor, standing=found)
    return judged(sys.stdin.buffer.read(LARGEST + 1), door, place)
