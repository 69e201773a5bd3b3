"""``stanch guard``: a hook for AI assistants."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import click

from stanch.scanner.api import Confidence
from stanch.scanner.hook.ai_event import LARGEST, judged
from stanch.scanner.hook.build import Choice, accepted, gate

_BLOCK = 2  # the exit code by which assistants' hooks say no


@click.command("guard")
@click.option(
    "--min-confidence",
    type=click.Choice([each.value for each in Confidence]),
    default=Confidence.MEDIUM.value,
    show_default=True,
    help="What blocks.",
)
@click.option("--baseline", metavar="FILE", help="Accepted findings. Default: .stanch-baseline.")
def command(min_confidence: str, baseline: str | None) -> None:
    """Judge one event of an AI assistant's hook: a JSON object on standard input.

    The answer is {"decision": "allow" or "block", "reason": …} on standard output; what blocks is
    also said on standard error.

    Exit codes: 0 allow, 2 block: credentials, an event that is not understood, or something that
    could not be read.
    """
    choice = Choice(min_confidence=Confidence(min_confidence), baseline=baseline)
    place = Path.cwd()
    today = date.today()  # noqa: DTZ011  # an expiry is a day on the reader's calendar
    door = gate(
        choice, os.environ, suppressor=accepted(choice, os.environ, place, today=today), place=place
    )
    decision = judged(sys.stdin.buffer.read(LARGEST + 1), door, place)
    click.echo(decision.as_json())
    if decision.block:
        click.echo(decision.reason, err=True)
        sys.exit(_BLOCK)
