"""The lab's AWS over real HTTP, and a context that keeps sealed values in memory."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import Absent, GoOn, Present, Step, StepSpec, Verdict, Verified
from stanch.responder.lab.aws import AwsLab
from stanch.responder.lab.aws.world import World, seed
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings, Credentials
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.registry import SPECS
from stanch.scanner.model.secret import SecretValue

_RUNS = itertools.count(1)


@dataclass(slots=True, kw_only=True)
class Safe:
    """What is sealed for one incident and run; survives a "crash" of the step under test."""

    leak: dict[str, SecretValue]
    born: dict[str, dict[str, SecretValue]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class MemoryContext:
    """A StepContext that obeys the rules: only declared parts open."""

    spec: StepSpec
    safe: Safe
    run: RunId
    step: str
    started_at: datetime
    before: JsonObject = field(default_factory=dict)
    earlier: tuple[RunId, ...] = ()
    cursor: JsonObject = field(default_factory=dict)

    @property
    def incident(self) -> IncidentId:
        return IncidentId(7)

    @property
    def preview(self) -> str:
        key_id = self.safe.leak["access_key_id"].reveal().decode()
        return f"{key_id[:4]}…{key_id[-4:]}"

    @property
    def runs(self) -> tuple[RunId, ...]:
        return (*self.earlier, self.run)

    @property
    def rule(self) -> str:
        return "aws-access-key"

    @property
    def idempotency_key(self) -> str:
        return hashlib.sha256(f"{self.run}/{self.step}".encode()).hexdigest()[:32]

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        return ()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def has(self, part: str) -> bool:
        return part in self.safe.leak

    def open(self, part: str) -> SecretValue:
        assert part in self.spec.parts, f"{self.spec.name} opens {part!r} without declaring it"
        return self.safe.leak[part]

    def seal(self, name: str, parts: Mapping[str, SecretValue]) -> SealedRef:
        assert name not in self.safe.born, f"{name} is sealed twice"
        self.safe.born[name] = dict(parts)
        return SealedRef(f"sealed:{name}")

    def sealed(self, name: str) -> SealedRef | None:
        return SealedRef(f"sealed:{name}") if name in self.safe.born else None

    def open_sealed(self, name: str, part: str) -> SecretValue:
        if name not in self.safe.born:
            raise StepFailed("nothing sealed", remedy="seal it")
        return self.safe.born[name][part]


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run's worth of steps: ``do`` plays what the engine does."""

    world: World
    aws: AwsClients
    safe: Safe
    run: RunId
    steps: Mapping[str, Step]
    done: dict[str, Verified] = field(default_factory=dict)
    before: dict[str, JsonObject] = field(default_factory=dict)
    acted: dict[str, JsonObject] = field(default_factory=dict)
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: dict[str, datetime] = field(default_factory=dict)
    earlier: tuple[RunId, ...] = ()
    cursors: dict[str, JsonObject] = field(default_factory=dict)
    seen: int = 0  # the journal's number when the world was seeded

    @property
    def lab(self) -> AwsLab:
        return self.world.lab

    def context(self, name: str) -> MemoryContext:
        start = self.starts.setdefault(name, datetime.now(UTC))
        return MemoryContext(
            spec=SPECS[name],
            safe=self.safe,
            run=self.run,
            step=name,
            started_at=start,
            before=self.before.get(name, {}),
            earlier=self.earlier,
            cursor=self.cursors.get(name, {}),
        )

    def typed(self, name: str, **params: Any) -> Any:
        self.params[name] = params
        return SPECS[name].params(**params)

    def observe(self, name: str, **params: Any) -> Present | Absent:
        step: Any = self.steps[name]
        seen: Present | Absent = step.observe(self.typed(name, **params), self.context(name))
        if isinstance(seen, Absent):
            self.before.setdefault(name, seen.before)
        return seen

    def act(self, name: str, **params: Any) -> JsonObject:
        step: Any = self.steps[name]
        evidence: JsonObject = step.act(self.typed(name, **params), self.context(name))
        self.acted[name] = evidence
        return evidence

    def look(self, name: str, **params: Any) -> Verdict:
        """One fresh look: ``look`` of a lookup, ``verify`` of a change."""
        step: Any = self.steps[name]
        see = step.look if hasattr(step, "look") else step.verify
        verdict: Verdict = see(self.typed(name, **params), self.context(name))
        if isinstance(verdict, GoOn):
            self.cursors[name] = json.loads(json.dumps(verdict.cursor))  # it crosses a database
        elif isinstance(verdict, Verified):
            self.cursors.pop(name, None)
            self.done[name] = verdict
        return verdict

    def do(self, name: str, **params: Any) -> Verified:
        """Observe, act if absent, verify."""
        if not hasattr(self.steps[name], "look") and isinstance(
            self.observe(name, **params), Absent
        ):
            self.act(name, **params)
        while isinstance(verdict := self.look(name, **params), GoOn):
            pass
        assert isinstance(verdict, Verified), verdict
        return verdict

    def undo(self, name: str) -> Verified:
        """Take the step ``name`` back, with the parameters that the engine's reversal gives."""
        undo = SPECS[name].undo
        assert undo is not None
        return self.do(undo, **self.undo_params(name))

    def undo_params(self, name: str) -> dict[str, Any]:
        wanted = SPECS[SPECS[name].undo or ""].params
        assert dataclasses.is_dataclass(wanted)
        verified = self.done.get(name)
        known = {
            **self.params[name],
            "before": self.before.get(name, {}),
            "outputs": verified.outputs if verified else {},
            "evidence": {**self.acted.get(name, {}), **(verified.evidence if verified else {})},
        }
        return {f.name: known[f.name] for f in dataclasses.fields(wanted) if f.name in known}

    def out(self, name: str, key: str) -> Any:
        return self.done[name].outputs[key]

    def contain(self, *, user: str | None = None) -> None:
        """Everything up to disabled key and denied sessions."""
        user = self.world.user if user is None else user
        self.do("aws.iam.find_owner", account=self.lab.account_id)
        self.do("aws.sts.probe_session", account=self.lab.account_id, last_service="s3")
        self.do("aws.iam.disable_access_key", user=user)
        self.do("aws.iam.deny_user_sessions", user=user)

    def refused(self) -> Verdict:
        return self.look(
            "aws.proof.refused",
            user=self.world.user,
            witness=self.out("aws.sts.probe_session", "witness"),
            worked=self.out("aws.sts.probe_session", "worked"),
        )

    def replace(self) -> None:
        """From the consumer's secret to the promoted version."""
        secret = self.world.secret_name
        leaked = "yes" if "secret_access_key" in self.safe.leak else "no"
        possession = self.do(
            "aws.secretsmanager.prove_possession",
            user=self.world.user,
            secret=secret,
            leaked=leaked,
        )
        proven = possession.outputs["proven"]
        self.do(
            "aws.secretsmanager.find_consumer", user=self.world.user, secret=secret, proven=proven
        )
        self.do("aws.iam.create_replacement_key", user=self.world.user, secret=secret)
        self.do("aws.secretsmanager.put_version", secret=secret)
        self.do("aws.secretsmanager.promote_version", **self.promotion())

    def deletion(self) -> dict[str, str]:
        return {
            "user": self.world.user,
            "secret": self.world.secret_name,
            "replacement": str(self.out("aws.iam.create_replacement_key", "key")),
        }

    def born(self) -> Any:
        """What the trail knows of credentials born from the key."""
        return self.do("aws.cloudtrail.activity", user=self.world.user).outputs["born"]

    def dead(self, **changes: Any) -> Verdict:
        """The last proof, with what the steps before it found."""
        trail = self.do("aws.cloudtrail.activity", user=self.world.user).outputs
        put = self.done.get("aws.secretsmanager.promote_version")
        known = {
            "user": self.world.user,
            "secret": self.world.secret_name if put else "",
            "version": str(put.outputs["version"]) if put else "",
            "witness": self.out("aws.sts.probe_session", "witness"),
            "worked": self.out("aws.sts.probe_session", "worked"),
            **{key: trail[key] for key in ("born", "unread", "truncated")},
        }
        return self.look("aws.proof.dead", **(known | changes))

    def promotion(self) -> dict[str, str]:
        put = self.done["aws.secretsmanager.put_version"].outputs
        return {
            "secret": self.world.secret_name,
            "version": str(put["version"]),
            "previous": str(put["previous"]),
        }

    def listed(self) -> dict[str, str]:
        """The user's keys and their status, as IAM lists them."""
        listed = self.lab.client("iam").list_access_keys(UserName=self.world.user)
        return {key["AccessKeyId"]: key["Status"] for key in listed["AccessKeyMetadata"]}

    def count(self, api: str) -> int:
        """How often the API was performed at the emulator since the world was seeded."""
        return sum(bool(call["performed"]) for call in self.lab.calls(api, since=self.seen))


@pytest.fixture(scope="session")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start(propagation=timedelta(0)) as running:
        yield running


@pytest.fixture
def make_bench(lab: AwsLab) -> Iterator[Callable[..., Bench]]:
    """A bench over a freshly seeded world; keywords change the settings or the leaked parts."""
    clients: list[AwsClients] = []

    def make(*, lone_id: bool = False, **changes: Any) -> Bench:
        lab.reset()
        lab.set_propagation(timedelta(0))
        world = seed(lab)
        settings = AwsSettings(
            region=lab.region,
            endpoint_url=lab.endpoint_url,
            pace=timedelta(0),
            settle=timedelta(0),
            lag=timedelta(0),
            regions=(lab.region,),
        )
        aws = AwsClients(
            dataclasses.replace(settings, **changes),
            own=sealed(lab.admin.access_key_id, lab.admin.secret),
        )
        clients.append(aws)
        leak = {"access_key_id": SecretValue(world.leaked.access_key_id.encode())}
        if not lone_id:
            leak["secret_access_key"] = SecretValue(world.leaked.secret.encode())
        calls = lab.calls()
        return Bench(
            world=world,
            aws=aws,
            safe=Safe(leak=leak),
            run=RunId(f"run{next(_RUNS):023d}"),
            steps=AWS.build(aws),
            seen=calls[-1]["seq"] if calls else 0,
        )

    yield make
    for aws in clients:
        aws.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


def sealed(key_id: str, secret: str) -> Credentials:
    return Credentials(
        access_key_id=SecretValue(key_id.encode()), secret_access_key=SecretValue(secret.encode())
    )
