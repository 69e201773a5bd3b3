"""An installation whose credential was seen in places that somebody keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.card import Card
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import RunState, StepRun
from stanch.responder.lab.aws import AwsLab
from stanch.responder.services.intake import Report
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InLog, Provenance
from stanch.scanner.model.secret import SecretValue

ALICE, BOB = Caller(name="alice", door="cli"), Caller(name="bob", door="cli")
PEOPLE = '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'


@dataclass(slots=True, kw_only=True)
class Office:
    """One incident that only a person can contain, and what comes after that."""

    house: House
    folder: Path
    run: RunId = field(init=False)
    incident: IncidentId = field(init=False)

    def seen(self, *places: Provenance, value: bytes = b"not a real one") -> None:
        """The credential was seen there."""
        for place in places:
            finding = Finding(
                rule="acme-token",
                provider="acme",
                kind="token",
                provenance=place,
                span=Span(line=2, column=5, end_line=2, end_column=25),
                fingerprint="v1:" + "0" * 32,
                preview="acme…7Q2M",
                severity=Severity.HIGH,
                confidence=Confidence.HIGH,
                reason="prefix",
            )
            match = Match(finding=finding, parts={"value": SecretValue(value)})
            taken = self.house.intake.receive(
                Report(
                    match=match, root="app", by=ALICE, detected_at=datetime.now(UTC), respond=False
                )
            )
            self.incident = taken.incident

    def contain(self) -> RunState:
        """Begin, and let bob say that he has revoked it; until the next question, or the end."""
        run = self.house.responses.respond(self.incident, by=ALICE)
        assert run is not None
        self.run = run
        assert self.settle() is RunState.WAITING_APPROVAL
        return self.answer()

    def answer(self, *, granted: bool = True) -> RunState:
        """Bob decides what is asked now."""
        question = self.house.approvals.open_for(self.incident)
        self.house.approvals.decide(question, by=BOB, granted=granted, reason="because it is so")
        return self.settle()

    def settle(self) -> RunState:
        """Until nothing more happens by itself."""
        end = datetime.now(UTC) + timedelta(seconds=20)
        while datetime.now(UTC) < end:
            self.house.advance(self.run)
            with self.house.store.snapshot() as tx:
                found = tx.runs.get(self.run)
            assert found is not None
            if found.state.over or found.state is RunState.WAITING_APPROVAL:
                return found.state
        raise TimeoutError(self.run)

    def card(self) -> Card:
        """What people see."""
        return self.house.cards.card(self.incident)

    def row(self, tx: Transaction, name: str) -> StepRun:
        """One row of the run."""
        return next(step for step in tx.runs.steps(self.run) if step.id == name)

    def steps(self) -> dict[str, StepRun]:
        """The rows of the run."""
        with self.house.store.snapshot() as tx:
            return {step.id: step for step in tx.runs.steps(self.run)}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Office]]:
    """Opens an installation with this much more configuration."""
    opened: list[House] = []

    def make(more: str = "") -> Office:
        config = tmp_path / "stanch.toml"
        config.write_text(PEOPLE + more)
        monkeypatch.setenv("STANCH_CONFIG", str(config))
        monkeypatch.setenv("STANCH_HOME", str(tmp_path / "home"))
        house = open_house(load(environment=dict(os.environ)))
        opened.append(house.__enter__())
        made.append(house)
        return Office(house=opened[-1], folder=tmp_path)

    made: list[House] = []
    yield make
    for house in made:
        house.__exit__(None, None, None)


@pytest.fixture(scope="session")
def running_lab() -> Iterator[AwsLab]:
    with AwsLab.start(propagation=timedelta(0)) as running:
        yield running


@pytest.fixture
def lab(running_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> AwsLab:
    """An empty AWS, in which this process is the administrator."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", running_lab.admin.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", running_lab.admin.secret)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running_lab.endpoint_url)
    running_lab.reset()
    return running_lab


def in_log(target: str, **more: Any) -> InLog:
    """A line of a log that its provider keeps."""
    provider = target.removeprefix("log:").partition("/")[0]
    return InLog(path="a log", provider=provider, run="1", copies=(target,), **more)
