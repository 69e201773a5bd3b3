"""What doctor says of the workers of a team, and of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.responder.bootstrap import open_house
from stanch.responder.checkup import team
from stanch.responder.config import Settings, load
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.heartbeat import SILENT, Heartbeat
from stanch.scanner import __version__

FRESH = timedelta(seconds=3)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = str(tmp_path / "home")
    return load(environment={"STANCH_HOME": home, "STANCH_BROKER_URL": "redis://127.0.0.1:1/0"})


def seen(settings: Settings, *signs: Heartbeat) -> list[Check]:
    with open_house(settings) as house, house.heartbeats() as kept:
        for each in signs:
            kept.beat(each)
    return list(team.workers(settings))


def sign(
    name: str, lane: str = "all", *, age: timedelta = FRESH, version: str = __version__,
    broker: bool = True,
) -> Heartbeat:  # fmt: skip
    at = datetime.now(UTC) - age
    return Heartbeat(
        name=name, lane=lane, version=version, broker=broker, started_at=at, seen_at=at
    )


def wrong(checks: list[Check]) -> str:
    return " | ".join(check.what for check in checks if check.state is State.WRONG)


def test_workers_that_live_are_named_with_age_and_version(settings: Settings) -> None:
    checks = seen(settings, sign("a/1", "contain"), sign("b/2", "rest"))
    assert not wrong(checks)
    assert f"a/1, lane contain, stanch {__version__}, seen 3 s ago" in checks[0].what


def test_without_a_worker_nobody_contains(settings: Settings) -> None:
    assert "that disables leaked keys" in wrong(seen(settings))


def test_a_lane_that_nobody_takes_is_wrong(settings: Settings) -> None:
    said = wrong(seen(settings, sign("a/1", "contain")))
    assert "does the rest" in said
    assert "disables" not in said


def test_a_worker_that_fell_silent_is_dead_and_wrong_only_if_nobody_is_left(
    settings: Settings,
) -> None:
    gone = sign("a/1", age=SILENT + FRESH)
    assert "disables" in wrong(seen(settings, gone))
    checks = seen(settings, sign("b/2"))
    assert not wrong(checks)
    assert any("dead or hung" in check.what for check in checks)


def test_another_version_is_wrong(settings: Settings) -> None:
    assert "stanch 0.0.1" in wrong(seen(settings, sign("a/1", version="0.0.1")))


def test_a_worker_that_does_not_reach_the_broker_is_wrong(settings: Settings) -> None:
    assert "does not reach the broker" in wrong(seen(settings, sign("a/1", broker=False)))


def test_one_process_has_no_workers_to_look_for(tmp_path: Path) -> None:
    assert list(team.workers(load(environment={"STANCH_HOME": str(tmp_path)}))) == []
