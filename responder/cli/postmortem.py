"""``stanch postmortem``: what happened, as Markdown and as one self-contained page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from stanch.responder.cli.session import house
from stanch.responder.domain.ids import parse_label
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.render import write


@click.command("postmortem")
@click.argument("incident", metavar="LK-n")
@click.option(
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("postmortems"),
    show_default=True,
)
def command(incident: str, output: Path) -> None:
    """Write the postmortem of LK-n into FOLDER. It holds no secret.

    Exit codes: 0 written, 2 there is no such incident.
    """
    with house() as opened:
        opened.anchor()
        case = opened.casefiles.gather(parse_label(incident))
    for path in write(build(case, now=datetime.now(UTC)), output):
        click.echo(path)
