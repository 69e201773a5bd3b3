"""``stanch evidence``: what the record proves, by the controls of standards."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from stanch.responder.bootstrap import open_house
from stanch.responder.config import load
from stanch.responder.services.casefiles import sentence
from stanch.responder.services.evidence.export import Proof, as_csv, as_html, as_json, gather
from stanch.responder.services.evidence.period import parse_period

_FORMS = {"json": as_json, "csv": as_csv, "html": as_html}


@click.group("evidence")
def command() -> None:
    """Evidence for auditors, from the tamper-evident record."""


@command.command("export")
@click.option(
    "--period",
    "text",
    required=True,
    metavar="PERIOD",
    help="2026, 2026-Q4, 2026-11, 2026-11-01..2026-11-15, or 90d until now.",
)
@click.option("--format", "form", type=click.Choice(sorted(_FORMS)), default="json")
def export(*, text: str, form: str) -> None:
    """Write controls of SOC 2, ISO 27001, PCI DSS and NIST with what was measured of each.

    Each has values, period, query and the entries that they rest on, with their digests, the
    record's head and its anchors. What nothing was measured of says so; no control is called met.

    Exit codes: 0 written, 1 written, and the record is tampered with, 2 usage or configuration,
    3 written, and the newest entries are not anchored.
    """
    period = parse_period(text, datetime.now(UTC))
    # Not anchored first: that would vouch for what is to be judged.
    with open_house(load()) as opened:
        verdict, head = opened.casefiles.verdict()
        anchors = [file.lines() for file in opened.casefiles.notary.files]
        proof = Proof(
            verdict=verdict,
            sentence=sentence(verdict),
            head=head,
            anchors=tuple(lines[-1] for lines in anchors if lines),
        )
        with opened.store.snapshot() as tx:
            evidence = gather(tx.ledger.entries(), proof, period)
    click.echo(_FORMS[form](evidence), nl=form == "json")
    sys.exit(1 if not verdict.intact else 3 if verdict.tail else 0)
