"""How soon a leaked key is contained, from the store's own clocks, against the lab's AWS."""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import crowd  # type: ignore[import-not-found]  # scripts of one folder

from stanch.responder.bootstrap import House, open_house
from stanch.responder.cli.session import working
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.run import RunState
from stanch.responder.domain.timeline import Event
from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.repository import build, leaky_history
from stanch.responder.services.intake import Report
from stanch.scanner.api import Match, Scanner, load_fingerprint_key

INCIDENTS = 20
COLD = 5
ENTRIES = 2000
DELAYS = (timedelta(0), timedelta(seconds=4))
LIMIT = 60.0  # seconds for one incident
REQUESTED_GOAL, VERIFIED_GOAL = 1.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Seconds after detection."""

    requested: float
    verified: float
    dead: float | None


def main() -> None:
    """Measure and print."""
    print(f"{INCIDENTS} incidents one after another in one warm process, {COLD} cold commands;")
    print(f"{len(os.sched_getaffinity(0))} cores, seconds after detection: p50 / p95\n")
    print(
        "propagation   how    n    contained (asked)   verified           beyond it   proven dead"
    )
    for delay in DELAYS:
        with AwsLab.start(propagation=delay) as lab, _folder() as folder:
            _show(delay, "warm", list(_warm(lab, delay, folder)))
            _show(delay, "cold", [_cold(lab, delay, folder / f"cold{n}") for n in range(COLD)])
    print("\ngoal, p95:", end=" ")
    print(
        f"asked ≤ {REQUESTED_GOAL:.0f} s, verified ≤ {VERIFIED_GOAL:.0f} s beyond the propagation"
    )
    with AwsLab.start(propagation=DELAYS[-1]) as lab:
        _naive(lab)
    with _folder() as folder:
        _ledger(folder)
    with _folder() as folder:
        crowd.measure(folder)


def _warm(lab: AwsLab, delay: timedelta, folder: Path) -> Iterator[Clocks]:
    """The whole runbook, once for each freshly leaked key."""
    with _at_home(lab, folder / "warm") as house, working(house):
        for number in range(INCIDENTS + 1):
            lab.reset()
            lab.set_propagation(timedelta(0))
            world = seed(lab)
            world.attacker.mint()
            lab.set_propagation(delay)
            repository = _leak(world, folder / f"repository{number}")
            incident = _take(house, repository)
            _await(house, incident, {RunState.WAITING_APPROVAL})
            _approve(house, incident)
            _await(house, incident, {RunState.DONE})
            if number:  # the first one loads modules and opens connections
                yield _clocks(_incident(house, incident))


def _cold(lab: AwsLab, delay: timedelta, folder: Path) -> Clocks:
    """One ``stanch respond`` in a process of its own, as a person or a hook calls it."""
    lab.reset()
    lab.set_propagation(timedelta(0))
    world = seed(lab)
    world.attacker.mint()
    lab.set_propagation(delay)
    repository = _leak(world, folder / "repository")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "stanch.responder.cli.main",
            "respond",
            str(repository),
            "--as",
            "alice",
        ],
        cwd=folder,
        env={**os.environ, **_settings(lab, folder)},
        check=False,
        capture_output=True,
        timeout=LIMIT,
    )
    if done.returncode:
        sys.exit(done.stdout.decode() + done.stderr.decode())
    with closing(sqlite3.connect(folder / "home" / "stanch.db")) as store:
        seen, asked, verified = store.execute(
            "SELECT detected_at, containment_requested_at, containment_verified_at FROM incidents"
        ).fetchone()
    return Clocks(requested=(asked - seen) / 1e6, verified=(verified - seen) / 1e6, dead=None)


def _naive(lab: AwsLab) -> None:
    """What a script does: disable, wait once, look once at the key. Measured, with its gaps."""
    world = seed(lab)
    world.attacker.mint()
    iam = lab.client("iam")
    began = time.perf_counter()
    iam.update_access_key(
        UserName=world.user, AccessKeyId=world.leaked.access_key_id, Status="Inactive"
    )
    asked = time.perf_counter() - began
    listed = iam.list_access_keys(UserName=world.user)["AccessKeyMetadata"]
    status = next(k["Status"] for k in listed if k["AccessKeyId"] == world.leaked.access_key_id)
    believed = time.perf_counter() - began
    key, session = world.attacker.try_key(), world.attacker.try_session()
    time.sleep(DELAYS[-1].total_seconds())
    later = world.attacker.try_key(), world.attacker.try_session()
    took = f"asked after {1000 * asked:.0f} ms, done after {1000 * believed:.0f} ms"
    print(f"\na script that disables the key and reads its status once: {took}")
    print(f"because IAM says {status!r}. At that moment the thief's key is")
    print(f"{key!r}, the session {session!r};")
    print(f"{DELAYS[-1].seconds} s later {later[0]!r}, {later[1]!r}.")


def _ledger(folder: Path) -> None:
    """Entries recorded and verified each second."""
    with open_house(load(_settings(None, folder))) as house:
        began = time.perf_counter()
        for number in range(ENTRIES):
            with house.store.transaction() as tx:
                tx.ledger.append(_event(number))
        single = ENTRIES / (time.perf_counter() - began)
        began = time.perf_counter()
        with house.store.transaction() as tx:
            for number in range(ENTRIES):
                tx.ledger.append(_event(number))
        batch = ENTRIES / (time.perf_counter() - began)
        house.anchor()
        began = time.perf_counter()
        verdict, _ = house.casefiles.verdict()
        rate = 2 * ENTRIES / (time.perf_counter() - began)
        if not verdict.intact or verdict.tail:
            sys.exit("the record of the benchmark is not whole")
    print("\nledger: entries a second")
    print(f"  append, one durable transaction each   {single:9,.0f}")
    print(f"  append, one transaction for all        {batch:9,.0f}")
    print(f"  verify (chain, protection, anchors)    {rate:9,.0f}")


def _event(number: int) -> Event:
    return Event(
        at=datetime.now(UTC),
        actor="bench",
        action="step.verified",
        incident=None,
        detail={"number": number, "evidence": "both refused, seen 3 times"},
    )


def _settings(lab: AwsLab | None, folder: Path) -> dict[str, str]:
    """The environment of an installation in ``folder`` that works on this lab."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "stanch.toml"
    people = '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
    aws = (
        f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'
        "trail_lag_seconds = 0\n"
        if lab
        else ""
    )
    config.write_text(aws + people, encoding="utf-8")
    ours = {"STANCH_HOME": str(folder / "home"), "STANCH_CONFIG": str(config)}
    if lab is None:
        return ours
    return ours | {
        "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def _at_home(lab: AwsLab, folder: Path) -> Iterator[House]:
    """The product itself, opened in this process."""
    settings = _settings(lab, folder)
    os.environ.update(settings)  # boto3's own chain reads it
    with open_house(load(settings)) as house:
        yield house


def _leak(world: World, folder: Path) -> Path:
    history = leaky_history(world.leaked.access_key_id, world.leaked.secret)
    return build(folder, history, now=datetime.now(UTC))


def _take(house: House, repository: Path) -> IncidentId:
    """Scan; detection is the moment the scanner hands over the match, as in ``stanch respond``."""
    key = load_fingerprint_key(None, house.settings.data)
    for result in Scanner(key=key, processes=1).scan_path(repository):
        if isinstance(result, Match):
            return house.intake.receive(
                Report(
                    match=result,
                    root=repository.name,
                    by=Caller(name="alice", door="cli"),
                    detected_at=datetime.now(UTC),
                )
            ).incident
    sys.exit("the scanner did not find the leak")


def _approve(house: House, incident: IncidentId) -> None:
    house.approvals.decide(
        house.approvals.open_for(incident),
        by=Caller(name="bob", door="cli"),
        granted=True,
        reason="the benchmark goes on",
    )


def _await(house: House, incident: IncidentId, wanted: set[RunState]) -> None:
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        with house.store.snapshot() as tx:
            state = tx.runs.of(incident)[-1].state
        if state in wanted:
            return
        if state.over:
            break
        time.sleep(0.02)
    sys.exit(f"the run of LK-{incident} is {state}")


def _incident(house: House, incident: IncidentId) -> Incident:
    with house.store.transaction() as tx:
        found = tx.incidents.get(incident)
    if found is None:
        sys.exit("the incident is gone")
    return found


def _clocks(incident: Incident) -> Clocks:
    def after(at: datetime | None) -> float:
        if at is None:
            sys.exit(f"a clock of LK-{incident.id} never stopped")
        return (at - incident.detected_at).total_seconds()

    return Clocks(
        requested=after(incident.containment_requested_at),
        verified=after(incident.containment_verified_at),
        dead=after(incident.proven_dead_at),
    )


def _show(delay: timedelta, how: str, measured: Sequence[Clocks]) -> None:
    seconds = delay.total_seconds()
    dead = [clocks.dead for clocks in measured if clocks.dead is not None]
    columns = (
        _middle_and_high([clocks.requested for clocks in measured]),
        _middle_and_high([clocks.verified for clocks in measured]),
        _middle_and_high([clocks.verified - seconds for clocks in measured]),
        _middle_and_high(dead) if dead else "waits for approval",
    )
    print(f"{seconds:4.0f} s        {how}  {len(measured):3}    " + "     ".join(columns))


def _middle_and_high(values: Sequence[float]) -> str:
    ranked = sorted(values)
    high = ranked[min(len(ranked) - 1, round(0.95 * (len(ranked) - 1)))]
    return f"{statistics.median(ranked):5.2f} / {high:5.2f}"


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    if shutil.which("git") is None:
        sys.exit("git is needed")
    main()
