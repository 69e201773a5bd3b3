"""The invariants, looked at after every event and when everything has come to rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunKind, RunState, StepState
from stanch.responder.ledger.verify import verify
from stanch.responder.services.cards import Cards
from tests.simulation.memory import MemoryStore
from tests.simulation.stage import Broken, Wall, keys
from tests.simulation.world import Status, World


class Judge:
    """What must hold. The parts are the history's."""

    store: MemoryStore
    world: World
    wall: Wall
    cards: Cards
    read: int
    served: dict[str, bool]
    reported: set[str]
    wrong: list[str]

    # -- the invariants ----------------------------------------------------------------------------

    def judge(self) -> None:
        """What must hold at every moment."""
        if self.wrong:
            raise Broken(self.wrong[0])
        with self.store.snapshot() as tx:
            entries = tuple(tx.ledger.entries())
            incidents = tx.incidents.list()
            runs = {i.id: tx.runs.of(i.id) for i in incidents}
        for entry in entries[self.read :]:
            if entry.event.action in {"incident.contained", "incident.proven_dead"}:
                self._judge_claim(entry.event.detail, self._key(entry.event.incident))
        self.read = len(entries)
        for incident in incidents:
            key = self._key(incident.id)
            self._judge_state(incident, key)
            self._judge_undo(runs[incident.id], key)
        for (run, step, thing), times in self.world.acts.items():
            if times > 1 and thing not in self.world.meddled and not thing.startswith("policy"):
                raise Broken(f"{step} of {run} was done {times} times to {thing}")

    def _key(self, incident: int | None) -> str:
        with self.store.snapshot() as tx:
            found = tx.incidents.get(IncidentId(incident or 0))
        return found.fingerprint.removeprefix("v1:") if found else ""

    def _judge_claim(self, detail: Mapping[str, Any], key: str) -> None:
        seen_at = datetime.fromisoformat(detail["claim"]["seen_at"])
        if self.world.true(key, seen_at) == Status.ACTIVE:
            raise Broken(f"{key} was called dead at {seen_at} and worked")

    def _judge_state(self, incident: Any, key: str) -> None:
        claimed = incident.state in {IncidentState.CONTAINED, IncidentState.PROVEN_DEAD}
        works = self.world.true(key) == Status.ACTIVE
        if claimed and works and key not in self.world.meddled:
            raise Broken(f"{key} is called {incident.state} and works by our own doing")

    def _judge_undo(self, runs: tuple[Any, ...], key: str) -> None:
        """Whoever had a working key when an undo began has one all along, and at its end."""
        held = self.world.true(f"secret of {key}")
        serves = self.world.true(held) == Status.ACTIVE
        undoing = bool(runs) and runs[-1].kind is RunKind.UNDO
        meddled = {key, f"secret of {key}"} & set(self.world.meddled)
        with self.store.snapshot() as tx:
            steps = tx.runs.steps(runs[-1].id) if undoing else ()
        # Before that, the act that was under way when the undo was asked for may still come true.
        begun = any(step.intended_at for step in steps)
        if begun and not meddled:
            if self.served.get(runs[-1].id) and not serves:
                raise Broken(f"the consumer of {key} has no working key ({held}) in an undo")
            if runs[-1].state is RunState.DONE and not serves:
                raise Broken(f"the consumer of {key} has no working key ({held}) after an undo")
            self.served.setdefault(runs[-1].id, serves)
            self.served[runs[-1].id] = self.served[runs[-1].id] or serves

    def judge_end(self) -> None:
        """What must hold once everything has come to rest."""
        self.judge()
        seal, _, signer = keys()
        with self.store.snapshot() as tx:
            entries = tuple(tx.ledger.entries())
            incidents = tx.incidents.list()
            for incident in incidents:
                self._judge_rest(tx, incident)
            left = tx.outbox.waiting(tx.now())
        verdict = verify(entries, seal=seal, anchors=(), key=signer.public)
        if not verdict.intact:
            raise Broken(f"the record is not whole: {verdict}")
        known = {i.fingerprint.removeprefix("v1:") for i in incidents}
        if self.reported - known:
            raise Broken(f"lost: {self.reported - known}")
        if left:
            raise Broken(f"nobody was told: {left}")
        for incident in incidents:
            self._judge_card(incident.id)

    def _judge_rest(self, tx: Any, incident: Any) -> None:
        runs = tx.runs.of(incident.id)
        answered = any(run.episode == incident.regressions for run in runs)
        if incident.state is IncidentState.OPEN and not answered:
            raise Broken(f"LK-{incident.id} came in and nobody responds")
        resting = {RunState.WAITING_APPROVAL, RunState.PAUSED}
        for run in runs:
            # A key that a stranger keeps alive is looked at for ever; that is on the card.
            meddled = incident.fingerprint.removeprefix("v1:") in self.world.meddled
            if not run.state.over and run.state not in resting and not meddled:
                steps = {s.id: (s.state.value, s.due_at) for s in tx.runs.steps(run.id)}
                raise Broken(f"{run.kind} of LK-{incident.id} rests in {run.state}: {steps}")
            held = [s.id for s in tx.runs.steps(run.id) if s.state is StepState.RUNNING]
            if held and run.state is not RunState.PAUSED:
                raise Broken(f"{held} of a run that is {run.state} are held for ever")

    def _judge_card(self, incident: IncidentId) -> None:
        shown, now = self.wall.shown.get(incident), self.cards.card(incident)
        if shown is None or (shown.headline, shown.summary, shown.failure) != (
            now.headline, now.summary, now.failure,
        ):  # fmt: skip
            told = shown and (shown.headline, shown.summary, shown.failure)
            raise Broken(f"LK-{incident} shows {told}, not {(now.headline, now.summary)}")
