"""One lab and one zygote per test process; a fresh incident, store and world per test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.run import RunState, StepRun, StepState
from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.proof import acts
from stanch.responder.services.intake import Report
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

LEASE = 0.3  # seconds; a dead worker's steps are free after that
KILLED = -signal.SIGKILL


class Zygote:
    """The process that forks workers (``zygote.py``)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kills = 0

    def _ask(self, order: dict[str, object]) -> int | str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: int | str = json.loads(self._process.stdout.readline())
        return answer

    def fork(self, order: dict[str, object]) -> int:
        pid = self._ask(order)
        assert isinstance(pid, int)
        return pid

    def wait(self, pid: int) -> int | str:
        status = self._ask({"wait": pid})
        self.kills += status == KILLED
        return status

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()


@dataclass(slots=True, kw_only=True)
class Case:
    """One leaked key of a fresh world, its run, and the workers that were set on it."""

    house: House
    world: World
    zygote: Zygote
    home: Path
    environment: dict[str, str]
    incident: IncidentId
    run: RunId
    since: int  # the journal's number before the run
    policies: list[str]  # of the user, before the run
    pids: list[int] = field(default_factory=list)

    def worker(self, *at: tuple[str, str], how: str = "kill") -> int:
        """Set a worker on what is due; it is signalled at the boundaries ``at``. Its process id."""
        pid = self.zygote.fork(
            {
                "environment": self.environment,
                "home": str(self.home),
                "log": str(self.home / "boundaries"),
                "run": self.run,
                "at": at,
                "how": how,
            }
        )
        self.pids.append(pid)
        return pid

    def finish(self, *at: tuple[str, str], asked: bool = False) -> int:
        """Work, approve when asked, until the run is over; returns how many workers were killed.

        One worker dies at each boundary of ``at``. With ``asked`` it ends at the first question.
        """
        kills, left = 0, list(at)
        while not self.state.over:
            status = self.zygote.wait(self.worker(*left))
            if status == KILLED:
                kills += 1
                left.remove(self.boundaries[-1])
                continue
            assert status == 0, f"a worker ended with {status}"
            if self.state is RunState.WAITING_APPROVAL:
                if asked:
                    break
                self.approve()
        return kills

    def killed(self, pair: tuple[str, str], do: Callable[[], object]) -> None:
        """A worker that is killed at the boundary while a person does something."""
        passed = self.passed(pair)
        pid = self.worker(pair, how="pause")
        while self.passed(pair) == passed:
            time.sleep(0.005)
        do()
        os.kill(pid, signal.SIGKILL)
        assert self.zygote.wait(pid) == KILLED

    def passed(self, pair: tuple[str, str]) -> int:
        return self.boundaries.count(pair) if (self.home / "boundaries").exists() else 0

    def say(self, verb: str, when: str) -> None:
        """A person's command, killed at its commit."""
        order = {
            "environment": self.environment,
            "incident": self.incident,
            "verb": verb,
            "when": when,
        }
        assert self.zygote.wait(self.zygote.fork(order)) == KILLED, verb

    def undo(self) -> None:
        """Ask for an undo; what follows is about that run."""
        self.run = self.house.responses.undo(self.incident, by=Caller(name="alice", door="cli"))

    def approve(self) -> None:
        self.house.approvals.decide(
            self.house.approvals.open_for(self.incident),
            by=Caller(name="bob", door="cli"),
            granted=True,
            reason="The replacement works.",
        )

    @property
    def state(self) -> RunState:
        with self.house.store.transaction() as tx:
            run = tx.runs.get(self.run)
        assert run is not None
        return run.state

    @property
    def found(self) -> Incident:
        with self.house.store.transaction() as tx:
            incident = tx.incidents.get(self.incident)
        assert incident is not None
        return incident

    @property
    def steps(self) -> dict[str, StepRun]:
        with self.house.store.transaction() as tx:
            return {step.id: step for step in tx.runs.steps(self.run)}

    @property
    def boundaries(self) -> list[tuple[str, str]]:
        """Every boundary that any worker passed, in order."""
        lines = (self.home / "boundaries").read_text().splitlines()
        return [(step, boundary) for step, boundary in (line.split(" ") for line in lines)]

    def recorded(self, action: str) -> Counter[str]:
        """How often the ledger says this of each step of the run."""
        with self.house.store.transaction() as tx:
            entries = tuple(tx.ledger.entries(self.incident))
        return Counter(
            str(e.event.detail["step"])
            for e in entries
            if e.event.action == action and e.event.detail.get("run") == self.run
        )

    def assert_given_back(self) -> None:
        """Everything is as it was before we came, each reversal was done once, the record whole."""
        world, iam = self.world, self.world.lab.client("iam")
        steps = self.steps
        assert {s.id: (s.error, s.remedy) for s in steps.values() if s.error} == {}
        assert {step.state for step in steps.values()} == {StepState.DONE}
        assert self.recorded("step.verified") == Counter(list(steps))
        told = (self.recorded(f"step.{how}") for how in ("acted", "seen", "found"))
        assert sum(told, Counter[str]()) == Counter(list(steps))
        assert self.found.state is IncidentState.OPEN
        listed = iam.list_access_keys(UserName=world.user)["AccessKeyMetadata"]
        assert {key["AccessKeyId"]: key["Status"] for key in listed} == {
            world.leaked.access_key_id: "Active"
        }
        assert iam.list_user_policies(UserName=world.user)["PolicyNames"] == self.policies
        assert world.consumer.work() == "alive"
        assert world.consumer.key().access_key_id == world.leaked.access_key_id
        self.house.anchor()
        verdict, _ = self.house.casefiles.verdict()
        assert verdict.intact, verdict

    def assert_proven(self, *, repeatable: str | frozenset[str] | None = None) -> None:
        """The claims of every fault: dead, every act once, every outcome once, record whole.

        The acts ``repeatable`` may have been performed twice.
        """
        steps = self.steps
        assert {s.id: (s.error, s.remedy) for s in steps.values() if s.error} == {}
        counted = acts(self.world.lab, since=self.since)
        twice = {repeatable} if isinstance(repeatable, str) else repeatable or frozenset()
        assert {a: n for a, n in counted.items() if n not in ({1, 2} if a in twice else {1})} == {}
        assert self.found.state is IncidentState.PROVEN_DEAD
        assert {step.state for step in steps.values()} == {StepState.DONE}
        assert self.recorded("step.verified") == Counter(list(steps))
        changed = [s.id for s in steps.values() if s.acted_at is not None]
        assert self.recorded("step.intended") == Counter(changed)
        told = (self.recorded(f"step.{how}") for how in ("acted", "seen", "found"))
        assert sum(told, Counter[str]()) == Counter(changed)
        assert set(self.recorded("step.found")) <= IDLE
        self.house.anchor()
        verdict, _ = self.house.casefiles.verdict()
        assert verdict.intact, verdict
        assert verdict.tail == 0


# What has nothing to do in this story: no session was late, and there was room for a second key.
IDLE = {"late-sessions", "replace-late", "write-late", "promote-late"}


@pytest.fixture(scope="session")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start(propagation=timedelta(0)) as running:
        yield running


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, lab: AwsLab) -> Path:
    """An installation with its keys made and its store migrated, to copy for each test."""
    home = tmp_path_factory.mktemp("template")
    (home / "stanch.toml").write_text(
        f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'
        f'regions = ["{lab.region}"]\ntrail_lag_seconds = 0\n'
        f"[worker]\nlease_seconds = {LEASE}\n"
        '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
    )
    with open_house(load(environment={"STANCH_HOME": str(home)})) as house:
        house.anchor()
    return home


@pytest.fixture
def case(lab: AwsLab, zygote: Zygote, template: Path, tmp_path: Path) -> Iterator[Case]:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    lab.reset()
    world = seed(lab)
    world.attacker.assume()
    since = lab.calls()[-1]["seq"]
    environment = {
        "PATH": os.environ["PATH"],
        "STANCH_HOME": str(home),
        "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with open_house(load(environment=environment)) as house:
        taken = house.intake.receive(
            Report(
                match=_leak(world),
                root="payments",
                by=Caller(name="alice", door="cli"),
                detected_at=datetime.now(UTC),
            )
        )
        run = taken.run
        assert run is not None
        made = Case(
            house=house,
            world=world,
            zygote=zygote,
            home=home,
            environment=environment,
            incident=taken.incident,
            run=run,
            since=since,
            policies=lab.client("iam").list_user_policies(UserName=world.user)["PolicyNames"],
        )
        yield made


def _leak(world: World) -> Match:
    key_id, secret = world.leaked.access_key_id, world.leaked.secret
    finding = Finding(
        rule="aws-access-key",
        provider="aws",
        kind="access-key",
        provenance=InWorktree(path="deploy/release.sh"),
        span=Span(line=3, column=26, end_line=3, end_column=46),
        fingerprint="v1:" + os.urandom(16).hex(),
        preview=f"{key_id[:4]}…{key_id[-4:]}",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        reason="prefix and shape",
    )
    parts = {"access_key_id": SecretValue(key_id.encode())}
    parts["secret_access_key"] = SecretValue(secret.encode())
    return Match(finding=finding, parts=parts)
