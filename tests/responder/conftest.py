"""A room to try the engine in: real store, vault and services, a small world, a movable clock."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from responder.domain.approval import Approval, Person
from responder.domain.card import Card
from responder.domain.ids import IncidentId, RunId
from responder.domain.incident import Incident
from responder.domain.json import JsonObject
from responder.domain.ports import Errand
from responder.domain.run import Run, StepRun
from responder.domain.runbook import Phase, Policy, Runbook, RunbookStep, Silence
from responder.domain.step import (
    Absent,
    Call,
    Effect,
    Present,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from responder.engine.attempt import Attempt
from responder.engine.executor import Executor
from responder.engine.planner import Planner
from responder.engine.progress import Progress
from responder.ledger.seal import LedgerSeal
from responder.services.approvals import Approvals
from responder.services.cards import Cards
from responder.services.intake import Intake
from responder.services.reconcile import Reconciler
from responder.services.response import Responses
from responder.store.sql import SqlStore, open_store
from responder.vault.master import LocalMasterKey
from responder.vault.vault import EnvelopeVault
from scanner.model.finding import Confidence, Finding, Match, Severity, Span
from scanner.model.provenance import InWorktree
from scanner.model.secret import SecretValue

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


class Bell:
    """Remembers who rang."""

    def __init__(self) -> None:
        self.rings: list[tuple[Errand, str]] = []

    def ring(self, errand: Errand, subject: str) -> None:
        self.rings.append((errand, subject))


@dataclass(slots=True)
class Lamps:
    """The world that fake steps change. ``script`` says what the next calls do instead."""

    lit: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    script: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    boundaries: list[tuple[str, str]] = field(default_factory=list)
    crash: Callable[[str, str], None] | None = None

    def then(self, what: str, lamp: str, *answers: Any) -> None:
        """The next calls of ``what`` for ``lamp`` give these answers; exceptions are raised."""
        self.script.setdefault((what, lamp), []).extend(answers)

    def next(self, what: str, lamp: str) -> Any:
        self.calls.append((what, lamp))
        waiting = self.script.get((what, lamp))
        answer = waiting.pop(0) if waiting else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def acts(self) -> list[str]:
        """The lamps that were acted on, in order."""
        return [lamp for what, lamp in self.calls if what in {"act", "undo"}]

    def trace(self, step: str, boundary: str) -> None:
        self.boundaries.append((step, boundary))
        if self.crash is not None:
            self.crash(step, boundary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """The parameters of all fake steps."""

    lamp: str
    colour: str = "white"


class _Fake:
    spec: ClassVar[StepSpec]

    def __init__(self, lamps: Lamps) -> None:
        self.lamps = lamps

    def calls(self, params: Lamp, preview: str) -> tuple[Call, ...]:
        return (
            Call(api=self.spec.name, arguments={"lamp": params.lamp, "colour": params.colour}),
            Call(api="about", arguments={"preview": preview}),
        )


class Look(_Fake):
    spec = StepSpec(
        name="lamp.look", title="Look at", effect=Effect.READ, params=Lamp, outputs=("seen",)
    )

    def look(self, params: Lamp, ctx: StepContext) -> Verdict:
        del ctx
        answer: Verdict | None = self.lamps.next("look", params.lamp)
        return answer or Verified(evidence={}, outputs={"seen": params.lamp})


class Light(_Fake):
    """Lights a lamp; can be undone."""

    spec = StepSpec(
        name="lamp.light",
        title="Light",
        effect=Effect.REVERSIBLE,
        params=Lamp,
        undo="lamp.darken",
        outputs=("seen",),
    )
    does = "act"

    def observe(self, params: Lamp, ctx: StepContext) -> Present | Absent:
        del ctx
        answer: Present | Absent | None = self.lamps.next("observe", params.lamp)
        if answer is not None:
            return answer
        if self.reached(params.lamp):
            return Present(evidence={"lit": params.lamp})
        return Absent(before={"lamp": params.lamp})

    def act(self, params: Lamp, ctx: StepContext) -> JsonObject:
        del ctx
        before = self.lamps.next(self.does, params.lamp)
        self.lamps.lit ^= {params.lamp}
        if before == "answer lost":
            raise ConnectionError("cut off")
        return {"did": params.lamp}

    def verify(self, params: Lamp, ctx: StepContext) -> Verdict:
        del ctx
        answer: Verdict | None = self.lamps.next("verify", params.lamp)
        return answer or Verified(evidence={"lit": params.lamp}, outputs={"seen": params.lamp})

    def reached(self, lamp: str) -> bool:
        return lamp in self.lamps.lit


class Darken(Light):
    spec = StepSpec(name="lamp.darken", title="Darken", effect=Effect.FINAL, params=Lamp)
    does = "undo"

    def reached(self, lamp: str) -> bool:
        return lamp not in self.lamps.lit


class Smash(Light):
    """Cannot be undone."""

    spec = StepSpec(name="lamp.smash", title="Smash", effect=Effect.FINAL, params=Lamp)


def line(
    name: str,
    uses: str = "lamp.light",
    *,
    after: tuple[str, ...] = (),
    approval: str | None = None,
    phase: Phase = Phase.CONTAIN,
    **params: str,
) -> RunbookStep:
    """One line of a runbook; a step's lamp is called like the step."""
    return RunbookStep(
        id=name,
        phase=phase,
        uses=uses,
        params={"lamp": name, **params},
        after=after,
        approval=approval,
        origin="test.yaml:1",
    )


@dataclass(slots=True, kw_only=True)
class Room:
    """Everything joined, except that nobody hears the bell: tests advance runs themselves."""

    store: SqlStore
    clock: Clock
    lamps: Lamps
    bell: Bell
    vault: EnvelopeVault
    books: dict[str, Runbook]
    planner: Planner
    executor: Executor
    responses: Responses
    approvals: Approvals
    cards: Cards
    intake: Intake
    reconciler: Reconciler

    line = staticmethod(line)

    def write(
        self,
        *steps: RunbookStep,
        silence: Silence = Silence.HOLD,
        version: int = 1,
        contained_by: str = "",
        proven_dead_by: str = "",
    ) -> Runbook:
        """Put the runbook for acme tokens in place."""
        policy = Policy(
            id="second", title="Second", group="ops", expires=10 * MINUTE, silence=silence
        )
        self.books["acme"] = Runbook(
            id="acme",
            version=version,
            title="An acme token has leaked",
            provider="acme",
            kind="token",
            steps=steps,
            policies={"second": policy},
            contained_by=contained_by,
            proven_dead_by=proven_dead_by,
        )
        return self.books["acme"]

    def match(self, **changes: Any) -> Match:
        """A leaked acme token; keywords change the finding."""
        finding = Finding(
            rule="acme-token",
            provider="acme",
            kind="token",
            provenance=InWorktree(path="deploy/env.sh"),
            span=Span(line=12, column=5, end_line=12, end_column=25),
            fingerprint="v1:" + secrets.token_hex(16),
            preview="acme…7Q2M",
            severity=Severity.HIGH,
            confidence=Confidence.HIGH,
            reason="prefix",
        )
        parts = {"value": SecretValue(secrets.token_bytes(20))}
        return Match(finding=replace(finding, **changes), parts=parts)

    def take(self, match: Match | None = None, *, root: str = "payments") -> Any:
        return self.intake.take(
            match or self.match(), root=root, actor="cli:alice", detected_at=self.clock.now
        )

    def begin(self, *steps: RunbookStep, silence: Silence = Silence.HOLD, **book: str) -> RunId:
        """A run of these steps for a fresh incident, asked for by alice."""
        self.write(*steps, silence=silence, **book)  # type: ignore[arg-type]  # the two ids are texts
        run = self.responses.respond(self.take().incident, requester="alice")
        assert run is not None
        return run

    def advance(self, run: RunId) -> datetime | None:
        return self.executor.advance(run)

    def settle(self, run: RunId) -> Run:
        """Advance and let time pass until nothing more happens by itself."""
        for _ in range(100):
            due = self.advance(run)
            if due is None:
                break
            self.clock.now = max(self.clock.now, due)
        # What happens next happens later: questions and runs are ordered by their time.
        self.clock.move(timedelta(milliseconds=1))
        return self.run(run)

    def run(self, run: RunId) -> Run:
        with self.store.transaction() as tx:
            found = tx.runs.get(run)
        assert found is not None
        return found

    def steps(self, run: RunId) -> Mapping[str, StepRun]:
        with self.store.transaction() as tx:
            return {step.id: step for step in tx.runs.steps(run)}

    def incident(self, run: RunId) -> Incident:
        with self.store.transaction() as tx:
            found = tx.incidents.get(self.run_of(tx, run))
        assert found is not None
        return found

    def run_of(self, tx: Any, run: RunId) -> IncidentId:
        number: IncidentId = tx.runs.get(run).incident
        return number

    def card(self, run: RunId) -> Card:
        return self.cards.card(self.run(run).incident)

    def asked(self, run: RunId) -> tuple[Approval, ...]:
        with self.store.transaction() as tx:
            return tx.approvals.of(run)

    def decide(self, run: RunId, name: str = "bob", *, granted: bool = True) -> Approval:
        return self.approvals.decide(
            self.asked(run)[-1].id, name=name, via="cli", granted=granted, reason="because"
        )

    def recorded(self, action: str = "") -> list[tuple[str, str]]:
        """(action, step) of every entry, or of those of one action."""
        with self.store.transaction() as tx:
            events = [entry.event for entry in tx.ledger.entries()]
        return [
            (e.action, str(e.detail.get("step", ""))) for e in events if action in {"", e.action}
        ]


@pytest.fixture(scope="session")
def _blank(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LedgerSeal]:
    """A migrated store to copy, and the key of its record."""
    path = tmp_path_factory.mktemp("blank") / "stanch.db"
    seal = LedgerSeal(SecretValue(os.urandom(32)))
    open_store(f"sqlite:///{path}", seal=seal).close()
    return path, seal


@pytest.fixture
def room(_blank: tuple[Path, LedgerSeal], tmp_path: Path) -> Iterator[Room]:
    blank, seal = _blank
    database = tmp_path / "room.db"
    database.write_bytes(blank.read_bytes())
    clock, lamps, bell = Clock(), Lamps(), Bell()
    with open_store(f"sqlite:///{database}", seal=seal, clock=clock) as store:
        vault = EnvelopeVault(store, LocalMasterKey(tmp_path / "master.key"))
        books: dict[str, Runbook] = {}
        kinds: tuple[Any, ...] = (Look, Light, Darken, Smash)
        planner = Planner(steps={kind.spec.name: kind(lamps) for kind in kinds})
        changing = frozenset(kind.spec.name for kind in kinds if kind is not Look)
        progress = Progress(store=store, doorbell=bell, changing=changing)
        attempt = Attempt(
            store=store, vault=vault, planner=planner, progress=progress, trace=lamps.trace
        )
        people = {
            "alice": Person(name="alice", groups=frozenset({"ops"})),
            "bob": Person(name="bob", groups=frozenset({"ops"}), slack="T1/U2"),
            "carol": Person(name="carol", groups=frozenset({"sales"})),
        }
        approvals = Approvals(
            store=store, planner=planner, runbooks=books, people=people, doorbell=bell
        )
        yield Room(
            store=store,
            clock=clock,
            lamps=lamps,
            bell=bell,
            vault=vault,
            books=books,
            planner=planner,
            executor=Executor(
                store=store,
                planner=planner,
                runbooks=books,
                attempt=attempt,
                doorbell=bell,
                lease=timedelta(seconds=15),
            ),
            responses=Responses(store=store, planner=planner, runbooks=books, doorbell=bell),
            approvals=approvals,
            cards=Cards(store=store, approvals=approvals),
            intake=Intake(store=store, vault=vault),
            reconciler=Reconciler(store=store, doorbell=bell),
        )
