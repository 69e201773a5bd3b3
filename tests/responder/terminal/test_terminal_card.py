"""Cards in a terminal: what a tired person reads at 80 columns, without colour."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from syrupy.assertion import SnapshotAssertion

from stanch.responder.domain.card import Card, Tone
from stanch.responder.domain.ids import IncidentId
from stanch.responder.services.listing import Row
from stanch.responder.terminal.notifier import TerminalNotifier
from stanch.responder.terminal.panel import panel
from stanch.responder.terminal.table import incident_table
from stanch.responder.terminal.text import visible


def shown(what: RenderableType, *, width: int = 80) -> str:
    written = io.StringIO()
    Console(file=written, width=width, no_color=True).print(what)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


@pytest.fixture
def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def notifier(terminal: io.StringIO) -> TerminalNotifier:
    return TerminalNotifier(Console(file=terminal, width=80, no_color=True))


@pytest.mark.parametrize("moment", ["live", "asking", "stuck", "dead"])
def test_the_panel_reads_well(
    moment: str, request: pytest.FixtureRequest, snapshot: SnapshotAssertion
) -> None:
    assert shown(panel(request.getfixturevalue(moment))) == snapshot


def test_a_whole_incident_is_told_without_repeating_itself(
    notifier: TerminalNotifier,
    terminal: io.StringIO,
    request: pytest.FixtureRequest,
    snapshot: SnapshotAssertion,
) -> None:
    place = None
    for moment in ("live", "contained", "asking", "dead"):
        card: Card = request.getfixturevalue(moment)
        place = notifier.publish(card, place)
        notifier.publish(replace(card, version=card.version + 100), place)  # nothing to see
    told = "\n".join(line.rstrip() for line in terminal.getvalue().splitlines())
    assert told == snapshot


def test_an_edit_that_changes_nothing_prints_nothing(
    notifier: TerminalNotifier, terminal: io.StringIO, asking: Card
) -> None:
    notifier.publish(asking, None)
    before = terminal.getvalue()
    notifier.publish(replace(asking, version=9), None)
    assert terminal.getvalue() == before


def test_a_failure_brings_the_whole_card_back(
    notifier: TerminalNotifier, terminal: io.StringIO, asking: Card, stuck: Card
) -> None:
    notifier.publish(asking, None)
    notifier.publish(stuck, None)
    assert terminal.getvalue().count("Found in") == 2


def test_what_is_dead_and_lives_again_is_told(
    notifier: TerminalNotifier, terminal: io.StringIO, dead: Card, live: Card
) -> None:
    notifier.publish(dead, None)
    notifier.publish(replace(live, headline="LIVE AGAIN · LK-7"), None)
    assert "LIVE AGAIN · LK-7" in terminal.getvalue()


def test_the_table_of_incidents_reads_well(snapshot: SnapshotAssertion) -> None:
    rows = [
        Row(
            incident=IncidentId(12),
            state="LIVE",
            tone=Tone.ALARM,
            closed=False,
            wanted="",
            severity="high",
            credential="GitHub token ghp_…9xYz",
            place="web: some/deep/directory/config/settings.py:120",
            age="2 d",
        ),
        Row(
            incident=IncidentId(7),
            state="CONTAINED",
            tone=Tone.WAITING,
            closed=False,
            severity="critical",
            credential="AWS access key AKIA…7Q2M",
            place="payments: deploy/env.sh:12",
            age="3 h",
            wanted="a decision of security by 15:03 UTC",
        ),
    ]
    assert shown(incident_table(rows)) == snapshot


@given(st.text(max_size=300))
def test_no_text_moves_the_cursor_or_runs_backwards(text: str) -> None:
    assert visible(text).isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the card is frozen
@given(text=st.text(max_size=300))
def test_no_text_breaks_the_frame(asking: Card, text: str) -> None:
    bad = replace(asking, headline=text, summary=text, facts=((text, text),), failure=text)
    told = shown(panel(bad))
    assert max(cell_len(line) for line in told.splitlines()) <= 80
