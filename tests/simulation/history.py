"""One history: the real engine under everything that can happen to it, drawn from a seed.

Messages are lost, repeated and reordered; workers die at any boundary, before, in and after any
commit; the store is away for a moment; the world lags, throttles and loses answers; strangers
change it; people approve, refuse, undo, pause, cancel, resume, respond, report and close at any
moment, also in the middle of somebody's act. After every event the invariants are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, cast

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.error import LedgerError, Retryable, StanchError, StoreError
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState
from stanch.responder.domain.step import Effect, Step, StepContext
from stanch.responder.engine import question
from stanch.responder.engine.attempt import Attempt
from stanch.responder.engine.dispatch import Dispatch
from stanch.responder.engine.executor import Executor
from stanch.responder.engine.limit import COUNTED, TRIGGER
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress
from stanch.responder.services import response
from stanch.responder.services.approvals import Approvals
from stanch.responder.services.cards import Cards
from stanch.responder.services.delivery import Delivery
from stanch.responder.services.intake import Intake, Report
from stanch.responder.services.reconcile import Reconciler
from stanch.responder.services.response import Responses
from stanch.responder.telemetry import log
from stanch.responder.vault.vault import EnvelopeVault
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue
from tests.simulation.judge import Judge
from tests.simulation.memory import MemoryStore
from tests.simulation.stage import (
    ALICE,
    BOB,
    BOOK,
    DEPTH,
    KEYS,
    LEASE,
    LIMIT,
    PEOPLE,
    Broken,
    Clock,
    Killed,
    StillLeases,
    Wall,
    keys,
)
from tests.simulation.world import STEPS, Status, World


class History(Judge):
    """Events drawn from ``seed``; ``run`` raises Broken with what does not hold."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  # a history is to be repeated
        self.clock = Clock()
        self.calm = False
        self.depth = 0
        self.events: list[str] = []
        self.messages: list[tuple[Errand, str]] = []
        self.kills_while_posting: set[int] = set()
        self.reported: set[str] = set()
        self.wrong: list[
            str
        ] = []  # acts that should not be: what is raised there, the engine survives
        self.read = 0  # ledger entries that were judged
        self.served: dict[str, bool] = {}  # keys whose consumer worked when the undo began
        # Ids decide what comes first where times are equal; they are drawn from the seed too.
        for module in (response, question):
            module.secrets = self  # type: ignore[attr-defined]
        self._join()

    def token_hex(self, size: int) -> str:
        return self.random.randbytes(size).hex()

    def _join(self) -> None:
        seal, master, _ = keys()
        self.store = MemoryStore(seal=seal, clock=self.clock, trouble=self._trouble)
        self.world = World(random=self.random, clock=self.clock)
        self.world.moment, self.world.on_final = self._moment, self._on_final
        self.world.on_lifting, self.world.on_containing = self._on_lifting, self._on_containing
        for key in KEYS:
            self.world.put(key, Status.ACTIVE)
            self.world.put(f"secret of {key}", key)
        self.clock.now += timedelta(minutes=1)
        store, vault = cast("Any", self.store), EnvelopeVault(cast("Any", self.store), master)
        steps: Mapping[str, Step] = {kind.spec.name: kind(self.world) for kind in STEPS}
        planner, books = Planner(steps=steps), {"sim": BOOK}
        changing = frozenset(n for n, s in steps.items() if s.spec.effect is not Effect.READ)
        progress = Progress(store=store, doorbell=self, changing=changing)
        self.responses = Responses(
            store=store, planner=planner, runbooks=books, doorbell=self, people=PEOPLE
        )
        self.approvals = Approvals(
            store=store, planner=planner, runbooks=books, people=PEOPLE, doorbell=self
        )
        self.executor = Executor(
            store=store,
            dispatch=Dispatch(planner=planner, progress=progress, runbooks=books, limit=LIMIT),
            runbooks=books,
            attempt=Attempt(
                store=store, vault=vault, planner=planner, progress=progress, trace=self._trace
            ),
            doorbell=self,
            leases=StillLeases(store, LEASE),
            parallel=1,
        )
        self.wall = Wall(self._moment)
        self.cards = Cards(store=store, approvals=self.approvals)
        self.delivery = Delivery(store=store, cards=self.cards, notifiers=(self.wall,))
        self.intake = Intake(store=store, vault=vault, responses=self.responses)
        self.reconciler = Reconciler(store=store, doorbell=self, responses=self.responses)

    # -- what happens to the code from outside ---------------------------------------------------

    def ring(self, errand: Errand, subject: str) -> None:
        self.messages.append((errand, subject))

    def _trouble(self, when: str) -> None:
        if self.calm:
            return
        drawn = self.random.random()
        if when != "after" and drawn < 0.004:
            raise StoreError("the store is away", remedy="wait")
        if drawn > 0.996:
            raise Killed(f"{when} a commit")

    def _trace(self, step: str, boundary: str) -> None:
        if self.calm:
            return
        drawn = self.random.random()
        if drawn < 0.02:
            raise Killed(f"{step} {boundary}")
        if drawn < 0.08:
            if boundary in {"intended", "observed", "verified"} and self.random.random() < 0.4:
                # Asleep for longer than its lease: somebody else takes the step meanwhile.
                self.clock.now += LEASE * 2
            self._within(f"{step} {boundary}")

    def _moment(self, what: str) -> None:
        """A call is on its way to the world, or its answer is on its way back."""
        if self.calm:
            return
        drawn = self.random.random()
        if drawn < 0.03:
            raise Retryable(f"{what}: throttled or lost", after=timedelta(seconds=1))
        if drawn < 0.04:
            raise Killed(what)
        if drawn < 0.06 and what == "publish":
            raise ValueError("an answer that nobody foresaw")
        if drawn > 0.94:
            self._within(what)
        self.clock.now += timedelta(milliseconds=self.random.randrange(400))

    def _within(self, where: str) -> None:
        if self.depth < DEPTH:
            self.event(f"within {where}: ")

    def _on_final(self, ctx: StepContext) -> None:
        """No act without its decision: granted in the ledger, for this step of this run."""
        with self.store.snapshot() as tx:
            granted = {
                str(e.event.detail.get("approval"))
                for e in tx.ledger.entries()
                if e.event.action == "approval.granted"
            }
            mine = [a for a in tx.approvals.of(ctx.run) if a.step == ctx.step]
        if not any(a.id in granted and a.decision is Decision.GRANTED for a in mine):
            self.wrong.append(f"{ctx.step} of {ctx.run} acts and nobody has decided it")

    def _on_lifting(self, ctx: StepContext) -> None:
        """No containment is taken back before somebody has agreed, or while it is claimed."""
        with self.store.snapshot() as tx:
            incident = tx.incidents.get(ctx.incident)
            said = {
                e.event.action
                for e in tx.ledger.entries()
                if e.event.detail.get("run") == ctx.run and e.event.action == "approval.granted"
            }
        if not said:
            self.wrong.append(f"{ctx.step} of {ctx.run} lifts containment, nobody has agreed")
        if incident and incident.state in {IncidentState.CONTAINED, IncidentState.PROVEN_DEAD}:
            self.wrong.append(f"{ctx.step} of {ctx.run} lifts what is called {incident.state}")

    def _on_containing(self, ctx: StepContext) -> None:
        """Reports alone contain no more than the limit; what is beyond it, a person wanted."""
        with self.store.snapshot() as tx:
            events = [entry.event for entry in tx.ledger.entries()]
        mine = [e for e in events if e.detail.get("run") == ctx.run]
        counted = [e for e in mine if e.action == COUNTED]
        wanted = {"approval.granted", "run.started", "run.resumed"}
        asked = [
            e
            for e in mine
            if e.action in wanted and TRIGGER not in e.detail and e.actor != "system"
        ]
        if not counted and not asked and ctx.step in {"disable", "deny"}:
            self.wrong.append(f"{ctx.step} of {ctx.run} contains, uncounted and unasked")
        for entry in counted:
            near = [e for e in events if abs(e.at - entry.at) < LIMIT.within and e.at <= entry.at]
            if sum(e.action == COUNTED for e in near) > LIMIT.most:
                self.wrong.append(f"{ctx.run} is one containment too many")

    # -- events ------------------------------------------------------------------------------------

    def event(self, prefix: str = "") -> None:
        """One more thing happens, to the end or until somebody is killed."""
        name, do = self._draw()
        self.events.append(prefix + name)
        self.depth += 1
        inside, self.store._inside = self.store._inside, False
        try:
            do()
        except Killed as killed:
            self.events.append(f"{prefix}{name}: killed at {killed}")
        except (StoreError, LedgerError) as error:
            self.events.append(f"{prefix}{name}: {error}")
        except StanchError as refused:
            self.events.append(f"{prefix}{name}: refused: {refused}")
        finally:
            self.depth -= 1
            self.store._inside = inside
        self.judge()

    def _draw(self) -> tuple[str, Callable[[], object]]:
        pick = self.random.random()
        if self.messages and pick < 0.55:
            return self._message()
        if pick < 0.65:
            span = self.random.choice([1, 1, 3, 10, 40, 400])
            return f"{span} s pass", lambda: self._pass(span)
        if pick < 0.75:
            return "sweep", self.reconciler.sweep
        return self._person() if pick < 0.97 else self._stranger()

    def _pass(self, seconds: int) -> None:
        self.clock.now += timedelta(seconds=seconds)

    def _message(self) -> tuple[str, Callable[[], object]]:
        """Any message; some are lost, some come twice."""
        number = self.random.randrange(len(self.messages))
        errand, subject = self.messages[number]
        fate = self.random.random()
        if fate > 0.05:
            self.messages.pop(number)
        if fate > 0.93:
            return f"lost: {errand} {subject[:4]}", lambda: None
        return f"{errand} {subject[:4]}", lambda: self.work(errand, subject)

    def work(self, errand: Errand, subject: str) -> None:
        if errand is Errand.NOTIFY:
            self.delivery.deliver(IncidentId(int(subject)))
            return
        pause = self.executor.advance(RunId(subject), errand)
        if pause == timedelta(0):
            self.ring(errand, subject)  # the pacer; what is later, the sweep must find

    def _person(self) -> tuple[str, Callable[[], object]]:
        with self.store.snapshot() as tx:
            incidents = [i.id for i in tx.incidents.list()]
        if not incidents or self.random.random() < 0.12:
            key, place = self.random.choice(KEYS), self.random.choice("abc")
            return f"report {key} at {place}", lambda: self._report(key, place)
        incident = self.random.choice(incidents)
        verb = self.random.choices(
            ["approve", "refuse", "undo", "pause", "resume", "cancel", "respond", "close"],
            [14, 1, 5, 2, 4, 2, 4, 1],
        )[0]
        return f"{verb} LK-{incident}", lambda: self._say(verb, incident)

    def _report(self, key: str, place: str) -> None:
        finding = Finding(
            rule="sim", provider="sim", kind="key", provenance=InWorktree(path=place),
            span=Span(line=1, column=1, end_line=1, end_column=9), fingerprint=f"v1:{key}",
            preview="key…", severity=Severity.HIGH, confidence=Confidence.HIGH, reason="x",
        )  # fmt: skip
        match = Match(finding=finding, parts={"value": SecretValue(key.encode())})
        self.intake.receive(Report(match=match, root="repo", by=ALICE, detected_at=self.clock()))
        self.reported.add(key)

    def _say(self, verb: str, incident: IncidentId) -> None:
        if verb in {"approve", "refuse"}:
            approval = self.approvals.open_for(incident)
            granted = verb == "approve"
            self.approvals.decide(approval, by=BOB, granted=granted, reason="because it is so")
        elif verb == "close":
            with self.store.transaction() as tx:
                found = tx.incidents.get(incident)
                active = tx.runs.active(incident)
                if found and not active and found.state is not IncidentState.CLOSED:
                    tx.incidents.save(found.closed(tx.now()))
                    tx.outbox.put(Errand.NOTIFY, str(incident))
        else:
            getattr(self.responses, verb)(incident, by=ALICE)

    def _stranger(self) -> tuple[str, Callable[[], object]]:
        key = self.random.choice(KEYS)
        what, value = self.random.choice(
            [(key, Status.ACTIVE), (key, Status.DELETED), (f"secret of {key}", "by-hand")]
        )
        return f"a stranger makes {what} {value}", lambda: self.world.meddle(what, value)

    def settle(self) -> None:
        """Nothing more happens from outside: what came in must come to its end."""
        self.calm = True
        for round_ in range(120):
            while self.messages:
                errand, subject = self.messages.pop(0)
                self.work(errand, subject)
                self.judge()
            if self.reconciler.sweep() == 0 and self._rests():
                break
            self.clock.now += timedelta(seconds=2 if round_ < 30 else 20)
        self.clock.now += timedelta(minutes=6)  # surfaces that failed are tried again by then
        for _ in range(2):
            with self.store.snapshot() as tx:
                left = tx.outbox.waiting(tx.now())
            for message in left:
                self.delivery.deliver(IncidentId(int(message.subject)))

    def _rests(self) -> bool:
        resting = {RunState.WAITING_APPROVAL, RunState.PAUSED}
        with self.store.snapshot() as tx:
            runs = [run for i in tx.incidents.list() for run in tx.runs.of(i.id)]
            if tx.runs.held(tx.now()):
                return False
        return all(run.state.over or run.state in resting for run in runs)


def play(seed: int, events: int) -> str | None:
    """What is broken in this history, or None."""
    log.configure(level="critical")
    history = History(seed)
    try:
        for _ in range(events):
            history.event()
        with suppress(Killed):
            history.settle()
        history.judge_end()
    except Broken as broken:
        return _told(seed, events, str(broken), history)
    except Exception as error:  # noqa: BLE001  # a crash is a broken history too
        return _told(seed, events, f"{type(error).__name__}: {error}", history)
    return None


def shrink(seed: int, events: int) -> int:
    """The fewest events of this history that break already."""
    return next((n for n in range(events + 1) if play(seed, n)), events)


def _told(seed: int, events: int, what: str, history: History) -> str:
    last = "\n    ".join(history.events[-25:])
    return f"seed {seed}, {events} events: {what}\n    {last}"
