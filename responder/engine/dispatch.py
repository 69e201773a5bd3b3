"""Which steps a worker takes now: in one transaction, with the intent of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.ports import Errand, Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.domain.runbook import Runbook, RunbookStep
from stanch.responder.engine.attempt import Job
from stanch.responder.engine.authority import (
    require_reversal,
    require_rows,
    require_run,
    require_runbook,
)
from stanch.responder.engine.condition import holds
from stanch.responder.engine.context import purpose
from stanch.responder.engine.limit import Limit, asked_for
from stanch.responder.engine.pin import pinned
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress
from stanch.responder.engine.question import Questions
from stanch.responder.engine.ready import elements, line, ready
from stanch.responder.engine.reference import resolve
from stanch.responder.engine.reversal import reversal, standing
from stanch.responder.engine.scene import Scene
from stanch.responder.engine.stop import in_the_way, sweep_up

SETTLED = timedelta(seconds=5)  # after that long the world usually shows an act everywhere
MOST_ELEMENTS = 200  # rows that one `each:` may add
LONGEST_NAME = 60  # of an element, in the name of its row
MOST_DEATHS = 10  # workers that may die of a step, or hang in it
_LOOK = "look at it yourself, then `stanch respond` the incident again"
_SHREDDED = (
    "do it by hand at the provider, or `stanch respond` to the place where it was seen: a new "
    "sighting brings the value back"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Takes steps for a worker."""

    planner: Planner
    progress: Progress
    runbooks: Mapping[str, Runbook]
    limit: Limit = Limit()  # noqa: RUF009  # frozen

    @property
    def questions(self) -> Questions:
        """What has to be asked before a step is taken."""
        return Questions(planner=self.planner)

    def jobs(
        self, tx: Transaction, run: Run, lane: Errand | None, *, most: int, lease: timedelta
    ) -> list[Job]:
        """Up to ``most`` steps that are ready, claimed; each other step as far as it goes."""
        incident = tx.incidents.get(run.incident)
        now = tx.now()
        if incident is None or in_the_way(tx, run, now):
            return []
        events = tx.ledger.sworn(run.incident)
        require_rows(tx, run)
        require_run(run, events)
        sweep_up(tx, run)
        if run.kind is RunKind.UNDO:
            self._take_in(tx, run, now)
        runbook = pinned(run, self.runbooks)
        steps = tx.runs.steps(run.id)
        if run.kind is RunKind.RESPOND:
            require_runbook(run, runbook, steps)
        scene = Scene(
            tx=tx,
            run=run,
            incident=incident,
            runbook=runbook,
            steps=steps,
            now=now,
            events=events,
        )
        free, _ = ready(run, runbook, steps, now)
        taken: list[Job] = []
        for step in free:
            if len(taken) == most:
                break
            if lane is None or self.lane(run, runbook, step) is lane:
                job = self._job(scene, step, lease)
                taken += [job] if job else []
        return taken

    def lane(self, run: Run, runbook: Runbook, step: StepRun) -> Errand:
        """Containment has a queue of its own, and nothing else gets in."""
        said = line(run, runbook, step)
        urgent = said is not None and said.id in runbook.containing
        return Errand.CONTAIN if urgent else Errand.ADVANCE

    def _take_in(self, tx: Transaction, run: Run, now: datetime) -> None:
        """Before an undo begins: how the acts under way have ended, and that the world shows it.

        Who looks too soon after an act may still see what was before, and take back nothing.
        """
        rows = tx.runs.steps(run.id)
        done = standing((other, tx.runs.steps(other.id)) for other in tx.runs.of(run.incident))
        fresh = reversal(done, self.planner.steps, incident=run.incident, run=run.id)
        wanted = {row.id: row for row in fresh}
        if any(row.intended_at for row in rows):
            require_reversal(run, rows, wanted)
            return
        # Where the answer was lost, the act may have come as late as the step was given back.
        acts = [
            s.acted_at or s.finished_at or run.started_at for s in done if s.absent_at is not None
        ]
        shown = max(acts, default=now) + SETTLED
        for row in rows:
            known = replace(
                row,
                template=wanted[row.id].template if row.id in wanted else row.template,
                due_at=shown if shown > now and not row.after else row.due_at,
            )
            if known != row:
                tx.runs.write(known)
        require_reversal(run, tx.runs.steps(run.id), wanted)

    def _job(self, scene: Scene, step: StepRun, lease: timedelta) -> Job | None:
        tx, said = scene.tx, line(scene.run, scene.runbook, step)
        if said is not None and self._settled_without_work(scene, step, said):
            return None
        if self._shredded(scene, step) or not self._agreed(scene, step):
            return None
        params = step.params or self._params(scene, step, said)
        if self._taken(scene, step, params):
            return None
        if self._beyond(scene, step) or self._paced(scene, step):
            return None
        claimed = tx.runs.claim(scene.run.id, step.id, now=scene.now, lease=lease)
        if claimed is None:
            return None
        if step.state is StepState.RUNNING:
            claimed = replace(claimed, tries=step.tries + 1)
            tx.runs.write(claimed)
        if claimed.intended_at is None:
            claimed = self._entrusted(scene, claimed)
            claimed = self.progress.intended(tx, scene.run, claimed, params)
        return Job(
            incident=scene.incident,
            run=scene.run,
            runbook=scene.runbook,
            step=claimed,
            params=params,
            born_in=_born_in(tx, scene.run),
            limit=said.timeout if said else None,
        )

    def _entrusted(self, scene: Scene, step: StepRun) -> StepRun:
        """What the step declares to open is on record before it begins, in the same transaction."""
        spec, kept = self.planner.steps[step.uses].spec, scene.tx.envelopes
        parts = set(spec.parts) & set(kept.parts(scene.incident.sealed))
        opens = {scene.incident.sealed: sorted(parts)}
        for name in spec.opens:
            born = (kept.named(run, name) for run in _born_in(scene.tx, scene.run))
            ref = next((ref for ref in born if ref is not None), None)
            opens |= {ref: list(kept.parts(ref))} if ref else {}
        told = {ref: names for ref, names in opens.items() if names and ref not in step.opened}
        for ref, names in told.items():
            detail: JsonObject = {
                "part": ", ".join(names),
                "purpose": purpose(scene.incident.id, step.id, step.uses),
                "ref": ref,
            }
            scene.record("secret.opened", detail)
        return replace(step, opened=(*step.opened, *told))

    def _settled_without_work(self, scene: Scene, step: StepRun, said: RunbookStep) -> bool:
        """Whether the runbook decides the step: too late, not wanted, or many instead of one."""
        since = step.intended_at
        if step.state is StepState.RUNNING and step.tries >= MOST_DEATHS:
            self._end(
                scene, step, StepState.FAILED, f"no worker came back from it, {step.tries} times"
            )
            return True
        if said.timeout and since and scene.now - since > said.timeout:
            self._end(scene, step, StepState.FAILED, f"not done within {said.timeout}")
            return True
        spent = scene.now - scene.run.started_at
        if scene.runbook.timeout and spent > scene.runbook.timeout:
            why = f"the run took longer than {scene.runbook.timeout}"
            self._end(scene, step, StepState.FAILED, why)
            return True
        if step.intended_at is not None or step.item is not None:
            return False
        if said.when is not None and not holds(said.when, scene.outputs):
            self._end(scene, step, StepState.OMITTED, f"left out: {said.when} does not hold")
            return True
        return said.each is not None and self._repeat(scene, step, said.each)

    def _agreed(self, scene: Scene, step: StepRun) -> bool:
        return not step.approval or self.questions.may_go(scene, step)

    def _shredded(self, scene: Scene, step: StepRun) -> bool:
        """Whether it would open what is gone: people are not asked about what cannot be done."""
        spec = self.planner.steps[step.uses].spec
        if not spec.parts or scene.tx.envelopes.parts(scene.incident.sealed):
            return False
        why = "the leaked value was shredded when the incident was closed"
        self._end(scene, step, StepState.FAILED, why, remedy=_SHREDDED)
        return True

    def _repeat(self, scene: Scene, step: StepRun, each: str) -> bool:
        """A row for each element at first; the step is over when all of them are."""
        rows = {row.id: row for row in scene.steps}
        mine = tuple(elements(step, rows))
        if "elements" not in step.cursor:
            items = _items(resolve(each, scene.outputs), step.id)
            if not items:
                self._end(scene, step, StepState.DONE, None, {"items": [], "count": 0})
                return True
            scene.tx.runs.grow([_element(step, n, item) for n, item in enumerate(items)])
            waiting = replace(
                step, state=StepState.WAITING, cursor={"elements": len(items)}, due_at=None
            )
            scene.tx.runs.write(waiting)
            return True
        aside = self.planner.steps[step.uses].spec.aside
        bad = [row for row in mine if not row.state.passed and not (aside and _refused(row))]
        if bad:
            first = bad[0]
            why = f"{len(bad)} of {len(mine)} failed: {first.id}"
            why += f": {first.error}" if first.error else ""
            self._end(scene, step, StepState.FAILED, why, remedy=first.remedy or _LOOK)
        else:
            found = [row.outputs for row in mine if row.state is StepState.DONE]
            outputs: JsonObject = {"items": found, "count": len(found)}
            self._end(scene, step, StepState.DONE, None, outputs)
        return True

    def _end(
        self,
        scene: Scene,
        step: StepRun,
        state: StepState,
        why: str | None,
        outputs: JsonObject | None = None,
        remedy: str = _LOOK,
    ) -> None:
        scene.tx.runs.write(
            replace(
                step,
                token=scene.tx.runs.fence(step).token,
                state=state,
                finished_at=scene.now,
                lease_until=None,
                due_at=None,
                error=why,
                remedy=remedy if state is StepState.FAILED else None,
                outputs=outputs or step.outputs,
            )
        )
        words = {StepState.FAILED: "failed", StepState.OMITTED: "omitted"}
        action = f"step.{words.get(state, 'verified')}"
        detail: JsonObject = {"run": scene.run.id, "step": step.id, "uses": step.uses, "why": why}
        scene.record(action, detail)
        scene.tx.outbox.put(Errand.NOTIFY, str(scene.incident.id))

    def _params(self, scene: Scene, step: StepRun, said: RunbookStep | None) -> JsonObject:
        params = self.planner.params(step, scene.outputs, optional=said is not None)
        if params is None:
            raise RunbookError(
                f"step {step.id!r} refers to an output that its step did not give",
                remedy="`stanch runbooks check` names the line",
            )
        return params

    def _taken(self, scene: Scene, step: StepRun, params: JsonObject) -> bool:
        """Whether another step changes what this one would change: one at a time does."""
        mine = self._shared(step.uses, params)
        return mine is not None and any(
            mine == self._shared(other.uses, other.params or {})
            for other in scene.tx.runs.held(scene.now)
            if (other.run, other.id) != (step.run, step.id)
        )

    def _paced(self, scene: Scene, step: StepRun) -> bool:
        """Whether it waits for its turn with what its provider allows the account."""
        pace = self.planner.steps[step.uses].spec.pace
        has_its_turn = step.state is StepState.WAITING and step.due_at is not None
        if pace is None or step.intended_at is not None or has_its_turn:
            return False
        at = scene.tx.paces.spend(f"{scene.account} {pace.name}", pace.every, scene.now)
        if at > scene.now:
            scene.tx.runs.write(replace(step, state=StepState.WAITING, due_at=at))
        return at > scene.now

    def _beyond(self, scene: Scene, step: StepRun) -> bool:
        """Whether a person has to agree first because reports contain too much in one account."""
        if scene.run.kind is not RunKind.RESPOND or step.intended_at is not None:
            return False
        if not self.planner.contains(step) or asked_for(scene):
            return False
        before = self.limit.count(scene)
        return before is not None and not self.questions.may_exceed(scene, step, before)

    def _shared(self, uses: str, params: JsonObject) -> str | None:
        """The name of what a step changes and other runs may change too."""
        spec = self.planner.steps[uses].spec if uses in self.planner.steps else None
        return f"{spec.shares}:{params.get(spec.shares)}" if spec and spec.shares else None


def _refused(row: StepRun) -> bool:
    """A person said no, or nobody said anything: an answer, where nothing else hangs on it."""
    return row.state is StepState.SKIPPED


def _element(step: StepRun, number: int, item: JsonValue) -> StepRun:
    name = item if isinstance(item, str) and len(item) <= LONGEST_NAME else str(number)
    return replace(step, id=f"{step.id}[{name}]", item=item, state=StepState.PENDING, token=0)


def _items(value: JsonValue, step: str) -> Sequence[JsonValue]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise RunbookError(
            f"step {step!r} is to be repeated for each of something that is no list",
            remedy="`each:` needs an output that is a list",
        )
    if len(value) > MOST_ELEMENTS:
        raise RunbookError(
            f"step {step!r} would be repeated {len(value)} times, at most {MOST_ELEMENTS}",
            remedy="narrow down what the step before it finds",
        )
    return value


def _born_in(tx: Transaction, run: Run) -> tuple[RunId, ...]:
    """An undo may use what the runs before it sealed; any other run only its own."""
    if run.kind is not RunKind.UNDO:
        return (run.id,)
    return tuple(reversed([r.id for r in tx.runs.of(run.incident)]))
