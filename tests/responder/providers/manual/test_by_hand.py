"""What nobody but a person can revoke: the rule's remedy, a word, and no claim beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunState
from stanch.responder.services.intake import Report
from stanch.scanner.api import builtin_rules
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

ALICE, BOB = Caller(name="alice", door="cli"), Caller(name="bob", door="cli")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "stanch.toml").write_text(
        '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
    )
    environment = {
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_CONFIG": str(tmp_path / "stanch.toml"),
    }
    with open_house(load(environment=environment)) as opened:
        yield opened


def settle(house: House, run: RunId) -> RunState:
    end = datetime.now(UTC) + timedelta(seconds=20)
    while datetime.now(UTC) < end:
        house.advance(run)
        with house.store.transaction() as tx:
            found = tx.runs.get(run)
        assert found is not None
        if found.state.over or found.state is RunState.WAITING_APPROVAL:
            return found.state
    raise TimeoutError(run)


def test_a_person_is_told_what_to_do_and_their_word_is_no_proof(house: House) -> None:
    rule = next(rule for rule in builtin_rules() if rule.provider == "stripe")
    finding = Finding(
        rule=rule.id,
        provider=rule.provider,
        kind=rule.kind,
        provenance=InWorktree(path="deploy/env.sh"),
        span=Span(line=12, column=5, end_line=12, end_column=25),
        fingerprint="v1:" + "0" * 32,
        preview="…",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        reason="prefix",
    )
    match = Match(finding=finding, parts={"value": SecretValue(b"not a real one")})
    taken = house.intake.receive(
        Report(match=match, root="app", by=ALICE, detected_at=datetime.now(UTC), respond=False)
    )
    run = house.responses.respond(taken.incident, by=ALICE)
    assert run is not None
    assert settle(house, run) is RunState.WAITING_APPROVAL
    ask = house.cards.card(taken.incident).ask
    assert ask is not None
    assert rule.remedy in str(ask.calls)
    assert rule.link in str(ask.calls)
    house.approvals.decide(ask.approval, by=BOB, granted=True, reason="revoked in the dashboard")
    assert settle(house, run) is RunState.DONE
    with house.store.transaction() as tx:
        incident = tx.incidents.get(taken.incident)
    assert incident is not None
    assert incident.state is IncidentState.OPEN
    card = house.cards.card(taken.incident)
    assert card.headline.startswith("NOT CHECKED")
    assert any("--unproven" in str(step.command) for step in card.next)
