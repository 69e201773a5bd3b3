"""A room to try the engine in: real store, vault and services, a small world, a movable clock."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.domain.approval import Approval, Person
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.card import Card
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import Run, RunState, StepRun
from stanch.responder.domain.runbook import Need, Policy, Runbook, RunbookStep, Silence
from stanch.responder.engine.attempt import Attempt
from stanch.responder.engine.dispatch import Dispatch
from stanch.responder.engine.executor import Executor
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.services.approvals import Approvals
from stanch.responder.services.cards import Cards
from stanch.responder.services.intake import Intake, Report
from stanch.responder.services.integrity import all_discrepancies
from stanch.responder.services.reconcile import Reconciler
from stanch.responder.services.response import Responses
from stanch.responder.store.sql import SqlStore, open_store
from stanch.responder.vault.master import LocalMasterKey
from stanch.responder.vault.vault import EnvelopeVault
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue
from tests.responder.lamp import Cover, Darken, Lamps, Light, Smash, SmashCopy, lamp_steps, line

ALICE, BOB = Caller(name="alice", door="cli"), Caller(name="bob", door="cli")
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
    attacked: bool = False  # a test wrote to the tables behind the store's back

    line = staticmethod(line)

    def write(
        self,
        *steps: RunbookStep,
        silence: Silence = Silence.HOLD,
        version: int = 1,
        contained_by: str = "",
        proven_dead_by: str = "",
        people: tuple[Need, ...] = (),
    ) -> Runbook:
        """Put the runbook for acme tokens in place."""
        policy = Policy(
            id="second",
            title="Second",
            group="ops",
            expires=10 * MINUTE,
            silence=silence,
            people=people,
        )
        self.books["acme"] = Runbook(
            id="acme",
            version=version,
            title="An acme token has leaked",
            answers=(("acme", "token"),),
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
        return self.intake.receive(
            Report(
                match=match or self.match(),
                root=root,
                by=ALICE,
                detected_at=self.clock.now,
                respond=False,
            )
        )

    def begin(self, *steps: RunbookStep, silence: Silence = Silence.HOLD, **book: Any) -> RunId:
        """A run of these steps for a fresh incident, asked for by alice."""
        self.write(*steps, silence=silence, **book)
        run = self.responses.respond(self.take().incident, by=ALICE)
        assert run is not None
        return run

    def advance(self, run: RunId) -> timedelta | None:
        """All that can be done now."""
        while (pause := self.executor.advance(run)) == timedelta(0):
            pass
        return pause

    def settle(self, run: RunId) -> Run:
        """Advance and let time pass until nothing more happens by itself."""
        for _ in range(100):
            pause = self.advance(run)
            if pause is None:
                break
            self.clock.move(pause)
        # What happens next happens later: questions and runs are ordered by their time.
        self.clock.move(timedelta(milliseconds=1))
        return self.run(run)

    def settle_undo(self, run: RunId) -> Run:
        """The same for an undo, to which dave agrees when he is asked."""
        if self.settle(run).state is RunState.WAITING_APPROVAL:
            self.decide(run, "dave")
        return self.settle(run)

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
            self.asked(run)[-1].id,
            by=Caller(name=name, door="cli"),
            granted=granted,
            reason="because it is so",
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


def hands(store: SqlStore, vault: EnvelopeVault, lamps: Lamps, bell: Bell) -> Attempt:
    """What works on steps of the lamps' world."""
    planner = Planner(steps=lamp_steps(lamps))
    changing = frozenset(kind.spec.name for kind in (Light, Darken, Smash, SmashCopy, Cover))
    progress = Progress(store=store, doorbell=bell, changing=changing)
    return Attempt(store=store, vault=vault, planner=planner, progress=progress, trace=lamps.trace)


PEOPLE = {
    "alice": Person(name="alice", groups=frozenset({"ops"})),
    "bob": Person(name="bob", groups=frozenset({"ops"}), slack="T1/U2"),
    "dave": Person(name="dave", groups=frozenset({"ops"})),
    "carol": Person(name="carol", groups=frozenset({"sales"})),
    "dora": Person(name="dora", groups=frozenset({"ops"})),
}


def _furnished(  # the parts that a room is made of
    store: SqlStore, folder: Path, clock: Clock, lamps: Lamps, bell: Bell, leases: Leases
) -> Room:
    vault = EnvelopeVault(store, LocalMasterKey(folder / "master.key"))
    books: dict[str, Runbook] = {}
    attempt = hands(store, vault, lamps, bell)
    planner = attempt.planner
    dispatch = Dispatch(planner=planner, progress=attempt.progress, runbooks=books)
    responses = Responses(
        store=store, planner=planner, runbooks=books, doorbell=bell, people=PEOPLE
    )
    approvals = Approvals(
        store=store, planner=planner, runbooks=books, people=PEOPLE, doorbell=bell
    )
    return Room(
        store=store,
        clock=clock,
        lamps=lamps,
        bell=bell,
        vault=vault,
        books=books,
        planner=planner,
        executor=Executor(
            store=store,
            dispatch=dispatch,
            runbooks=books,
            attempt=attempt,
            doorbell=bell,
            leases=leases,
        ),
        responses=responses,
        approvals=approvals,
        cards=Cards(store=store, approvals=approvals, remedy="renew {}".format),
        intake=Intake(store=store, vault=vault, responses=responses),
        reconciler=Reconciler(store=store, doorbell=bell, responses=responses),
    )


@pytest.fixture
def room(_blank: tuple[Path, LedgerSeal], tmp_path: Path) -> Iterator[Room]:
    blank, seal = _blank
    database = tmp_path / "room.db"
    database.write_bytes(blank.read_bytes())
    clock, lamps, bell = Clock(), Lamps(), Bell()
    with (
        open_store(f"sqlite:///{database}", seal=seal, clock=clock) as store,
        ExitStack() as opened,
    ):
        leases = opened.enter_context(Leases(store, timedelta(seconds=15)))
        made = _furnished(store, tmp_path, clock, lamps, bell, leases)
        yield made
        with store.snapshot() as tx:
            # What nobody attacked is never called tampered, in whatever a test did.
            assert made.attacked or all_discrepancies(tx) == ()
