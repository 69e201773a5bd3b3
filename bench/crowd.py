"""Many leaks at once: containment, intake, the store's writers, and who waits for whom."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stanch.responder.bootstrap import House, open_house
from stanch.responder.cli.session import working
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.run import RunState
from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.aws.client import Credentials
from stanch.responder.services.intake import Report
from stanch.responder.store.sql import SqlStore, SqlTransaction
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

AT_ONCE = 100
GOAL = 10.0  # seconds, for the last of them
LIMIT = 300.0
SESSIONS = 6  # of the busy thief
HELD = 1.0  # seconds for which a writer keeps the store
REGIONS = [
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
    *("ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
]


def measure(folder: Path) -> None:
    """Measure and print."""
    busy = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\nmany at once, activity in {len(REGIONS)} regions, one warm process (load {busy}):")
    print("seconds after detection: p50 / p95 / most")
    with AwsLab.start(propagation=timedelta(0)) as lab:
        world = seed(lab)
        world.attacker.mint()
        with _house(lab, folder / "one") as house, working(house):
            _run(house, world)
        with _house(lab, folder / "two") as house, working(house):
            _behind(house, lab, world)
        keys = [_user(lab, f"ci-{number}") for number in range(AT_ONCE)]
        with _house(lab, folder / "many") as house:
            _many(house, keys)


def _run(house: House, world: World) -> None:
    """One run from its report to its end: how often it writes, and who waits for a writer."""
    with _counting() as written:
        incident = _report(house, world.leaked)
        _await(house, [incident], lambda run, _: run is RunState.WAITING_APPROVAL)
        house.approvals.decide(
            house.approvals.open_for(incident),
            by=Caller(name="bob", door="cli"),
            granted=True,
            reason="the benchmark goes on",
        )
        _await(house, [incident], lambda run, _: run is RunState.DONE)
    print(f"  write transactions of a run                        {sum(written):6}")
    taken = threading.Event()

    def hold() -> None:
        with house.store.transaction():
            taken.set()
            time.sleep(HELD)

    writer = threading.Thread(target=hold)
    writer.start()
    taken.wait()
    began = time.perf_counter()
    house.cards.card(incident)
    waited = time.perf_counter() - began
    writer.join()
    print(f"  a card beside a writer that holds the store {HELD:.0f} s   {1000 * waited:6.0f} ms")


def _behind(house: House, lab: AwsLab, world: World) -> None:
    """A second leak while the first, of a thief with many sessions, is being looked into."""
    lab.reset()
    world = seed(lab)
    for _ in range(SESSIONS):
        world.attacker.mint()
    other = _user(lab, "ci-other")
    first = _report(house, world.leaked)
    _await(house, [first], lambda _, found: found.containment_verified_at is not None)
    second = _report(house, other)
    _await(house, [second], lambda _, found: found.containment_requested_at is not None)
    print(f"  a second leak behind a busy one, asked             {_asked(house, second):6.2f}")


def _many(house: House, keys: Sequence[Credentials]) -> None:
    with working(house):
        began = time.perf_counter()
        incidents = [_report(house, key) for key in keys]
        took = time.perf_counter() - began
        _await(house, incidents, lambda _, found: found.containment_verified_at is not None)
    asked = [_asked(house, each) for each in incidents]
    verified = [_verified(house, each) for each in incidents]
    print(
        f"  {len(keys)} at once, contained (asked)       {_spread(asked)}  goal, last ≤ {GOAL:.0f}"
    )
    print(f"  {len(keys)} at once, verified                {_spread(verified)}")
    print(f"  reports taken in each second                       {len(keys) / took:6.0f}")


def _report(house: House, key: Credentials) -> IncidentId:
    now = datetime.now(UTC)
    report = Report(
        match=_match(key), root="bench", by=Caller(name="alice", door="cli"), detected_at=now
    )
    return house.intake.receive(report).incident


def _match(key: Credentials) -> Match:
    finding = Finding(
        rule="aws-access-key",
        provider="aws",
        kind="access-key",
        provenance=InWorktree(path="deploy/release.sh"),
        span=Span(line=3, column=26, end_line=3, end_column=46),
        fingerprint="v1:" + os.urandom(16).hex(),
        preview=f"{key.access_key_id[:4]}…{key.access_key_id[-4:]}",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        reason="prefix and shape",
    )
    parts = {"access_key_id": key.access_key_id, "secret_access_key": key.secret}
    return Match(
        finding=finding, parts={name: SecretValue(value.encode()) for name, value in parts.items()}
    )


def _user(lab: AwsLab, name: str) -> Credentials:
    iam = lab.client("iam")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(access_key_id=made["AccessKeyId"], secret=made["SecretAccessKey"])


def _await(house: House, incidents: Sequence[IncidentId], reached: object) -> None:
    """Until every incident is where it should be; ``reached`` is asked for its run and itself."""
    limit, left = time.monotonic() + LIMIT, set(incidents)
    while left:
        with house.store.snapshot() as tx:
            for each in tuple(left):
                found = tx.incidents.get(each)
                if found and reached(tx.runs.of(each)[-1].state, found):  # type: ignore[operator]  # a lambda beside the call
                    left.discard(each)
        if time.monotonic() > limit:
            sys.exit(f"{len(left)} of {len(incidents)} have not come that far")
        time.sleep(0.05)


def _incident(house: House, number: IncidentId) -> Incident:
    with house.store.snapshot() as tx:
        found = tx.incidents.get(number)
    if found is None:
        sys.exit("the incident is gone")
    return found


def _asked(house: House, number: IncidentId) -> float:
    found = _incident(house, number)
    return _after(found, found.containment_requested_at)


def _verified(house: House, number: IncidentId) -> float:
    found = _incident(house, number)
    return _after(found, found.containment_verified_at)


def _after(incident: Incident, at: datetime | None) -> float:
    return (at - incident.detected_at).total_seconds() if at else LIMIT


def _spread(values: Sequence[float]) -> str:
    ranked = sorted(values)
    middle, high = ranked[len(ranked) // 2], ranked[round(0.95 * (len(ranked) - 1))]
    return f"{middle:6.2f} / {high:6.2f} / {ranked[-1]:6.2f}"


@contextmanager
def _counting() -> Iterator[list[int]]:
    """One for each write transaction of this process."""
    real, seen = SqlStore.transaction, [0]

    @contextmanager
    def transaction(store: SqlStore) -> Iterator[SqlTransaction]:
        seen.append(1)
        with real(store) as tx:
            yield tx

    SqlStore.transaction = transaction  # type: ignore[method-assign, assignment]  # until it is put back
    try:
        yield seen
    finally:
        SqlStore.transaction = real  # type: ignore[method-assign]  # as it was


@contextmanager
def _house(lab: AwsLab, folder: Path) -> Iterator[House]:
    """The product in this process. The blast limit is out of the way: it is not the subject."""
    folder.mkdir(parents=True)
    (folder / "stanch.toml").write_text(
        f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'
        f"regions = {REGIONS!r}\ntrail_lag_seconds = 0\n"
        f"[limits]\ncontainments = {10 * AT_ONCE}\n"
        '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n',
        encoding="utf-8",
    )
    settings = {
        "STANCH_HOME": str(folder / "home"),
        "STANCH_CONFIG": str(folder / "stanch.toml"),
        "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.update(settings)  # boto3's own chain reads it
    with open_house(load(settings)) as house:
        yield house
