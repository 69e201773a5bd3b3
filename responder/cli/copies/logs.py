"""``stanch logs``: the masked copies of logs that were deleted where they were kept."""

from __future__ import annotations

import sys

import click

from stanch.responder.cli.session import caller, house, known
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label
from stanch.responder.services.sealed_logs import SealedLogs
from stanch.responder.terminal.text import visible


@click.command("logs")
@click.argument("incident", metavar="LK-n")
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
@click.option("--as", "name", metavar="NAME", help="Who reads. Default: your login name.")
def command(incident: str, number: int | None, name: str | None) -> None:
    """List the logs of LK-n that Stanch has sealed, or print the masked copy of the Nth.

    What the rules find, and the leaked value in the encodings of runners, is taken out. Reading is
    on the record. The log as it was stays sealed until the incident is closed.

    Exit codes: 0 shown, 2 there is none.
    """
    with house() as opened:
        number_of = known(opened, incident)
        by = caller(opened.settings, name)
        logs = SealedLogs(store=opened.store, vault=opened.vault)
        found = logs.of(number_of, by=by)
        if not found or (number or 1) > len(found):
            raise UsageError(
                f"{label(number_of)} has {len(found)} sealed logs with a masked copy",
                remedy=f"`stanch incidents {label(number_of)}` says what became of its copies",
            )
        if number is None:
            for place, each in enumerate(found, start=1):
                log = each.log
                click.echo(
                    f"{place}  {visible(log.target)}  {log.size:,} bytes  sha256 {log.digest}"
                )
            return
        text = logs.text(number_of, found[number - 1], by=by)
    if sys.stdout.isatty():  # what a job has printed must not steer a terminal
        for line in text.decode("utf-8", "replace").splitlines():
            click.echo(visible(line))
    else:
        sys.stdout.buffer.write(text)
