"""A fleet finds what scans one by one find, once, whoever works on it and whoever dies."""

from __future__ import annotations

import contextlib
import os
import pty
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.responder.bootstrap.fleet import hands, open_fleet_store
from stanch.responder.cli.fleets import command
from stanch.responder.cli.main import _open_fleet, stanch
from stanch.responder.domain.error import Tampered, UsageError
from stanch.responder.domain.fleet import FleetProgress, UnitState
from stanch.responder.fleet.scan import FleetScan
from stanch.responder.terminal.progress import words
from stanch.scanner.api import Finding, Gap, Match, Scanner, load_fingerprint_key
from stanch.scanner.reports import jsonl
from tests.fleet.conftest import COUNT, Silent, Yard

BOUNDARIES = ("claimed", "read", "written")


def lines(results: list[Match | Gap]) -> list[str]:
    return [jsonl.line(each.finding) for each in results if isinstance(each, Match)]


def alone(yard: Yard, repositories: Path) -> list[Finding]:
    scanner = Scanner(key=load_fingerprint_key(None, yard.home), processes=1)
    places = [repositories / f"app{number}" for number in range(COUNT)]
    results = [each for place in places for each in scanner.scan_path(place, parts=False)]
    return [each.finding for each in results if isinstance(each, Match)]


def test_a_fleet_finds_what_each_scan_alone_finds_in_the_order_of_its_file(
    yard: Yard, repositories: Path
) -> None:
    found = [each.finding for each in yard.run() if isinstance(each, Match)]
    expected = alone(yard, repositories)
    assert [each.fingerprint for each in found] == [each.fingerprint for each in expected]
    assert [each.path for each in found] == [
        f"{repositories}/app{number}/deploy/env.sh" for number in range(1, COUNT)
    ]
    assert [(each.commit, each.excerpt, each.span, each.also) for each in found] == [
        (each.commit, each.excerpt, each.span, each.also) for each in expected
    ]


def test_workers_that_are_killed_at_any_boundary_lose_nothing_and_repeat_nothing(
    yard: Yard, tmp_path: Path
) -> None:
    expected = lines(yard.run())

    def die_once(unit: str, boundary: str) -> None:
        """At each boundary of some units: the first who comes there is killed."""
        if Path(unit).name in {"app1", "app3"}:
            mark = tmp_path / f"{Path(unit).name}-{boundary}"
            try:
                mark.touch(exist_ok=False)
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

    assert lines(yard.run(workers=2, trace=die_once)) == expected
    assert yard.deaths == 2 * len(BOUNDARIES)


def test_a_unit_that_ends_every_worker_is_set_aside_and_the_rest_is_read(
    yard: Yard, repositories: Path
) -> None:
    yard.write(f'targets = ["{repositories}/app*"]\nlosses = 2\n')

    def poison(unit: str, boundary: str) -> None:
        if unit.endswith("app2") and boundary == "claimed":
            os.kill(os.getpid(), signal.SIGKILL)

    results = yard.run(workers=2, trace=poison)
    assert len(lines(results)) == COUNT - 2
    (gap,) = [each for each in results if isinstance(each, Gap) and each.incomplete]
    assert gap.path == f"{repositories}/app2"
    assert "2 workers were lost over it" in gap.why
    assert f"stanch scan {repositories}/app2" in gap.why
    assert yard.deaths == 2


def test_a_planner_that_is_killed_is_gone_on_with(yard: Yard) -> None:
    expected = lines(yard.run())
    command = [sys.executable, "-m", "stanch", "scan", "--fleet", str(yard.file)]
    command += ["--format", "jsonl", "--workers", "2"]
    began = subprocess.Popen(
        command, env=yard.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with began:
        assert began.stdout is not None
        began.stdout.readline()  # the first is merged: others are under way
        began.kill()
    done = subprocess.run(command, env=yard.environment, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr.decode()
    assert done.stdout.decode().splitlines() == expected
    assert b"going on where it stopped" in done.stderr
    assert b": 6 units" in done.stderr


def test_a_report_that_was_told_is_told_once(yard: Yard) -> None:
    first = yard.plan()
    assert not first.resumed
    assert yard.plan().fleet.id == first.fleet.id
    yard.run()
    assert yard.plan().fleet.id != first.fleet.id


def test_a_file_that_has_changed_ends_the_fleet_that_went_on(
    yard: Yard, repositories: Path
) -> None:
    first = yard.plan().fleet
    yard.write(f'targets = ["{repositories}/app1"]\n')
    assert yard.plan().fleet.id != first.id
    with open_fleet_store(yard.settings) as store, store.snapshot() as tx:
        ended = tx.fleets.get(first.id)
    assert ended is not None
    assert ended.finished_at is not None


def test_what_is_left_out_is_counted_and_not_read(yard: Yard, repositories: Path) -> None:
    yard.write(f'targets = ["{repositories}/app*"]\nexclude = ["*/app[1-4]"]\n')
    fleet = yard.plan().fleet
    assert len(lines(yard.run())) == 1
    states = [unit.state for unit in yard.units(fleet)]
    assert states.count(UnitState.OMITTED) == 4
    assert states.count(UnitState.DONE) == 2


HIDING = (
    "UPDATE units SET digest = '' WHERE source = 3",
    "UPDATE units SET state = 'omitted', digest = '' WHERE source = 3",
    "UPDATE unit_results SET brought = x'78da' WHERE source = 3",
    "UPDATE unit_results SET brought = (SELECT brought FROM unit_results WHERE source = 1)",
    "DELETE FROM unit_results WHERE source = 3",
    "DELETE FROM unit_results WHERE source = 3; DELETE FROM units WHERE source = 3",
    "DELETE FROM unit_results WHERE source = 6; DELETE FROM units WHERE source = 6",
    "DELETE FROM unit_results; DELETE FROM units",
    "UPDATE fleets SET limits = '{}'",
)


def test_who_writes_to_the_store_cannot_hide_a_finding(yard: Yard) -> None:
    fleet = yard.plan().fleet
    _work(yard, fleet.id)
    file = yard.home / "stanch.db"
    before = file.read_bytes()  # whole: who closes last folds the log into it
    for change in HIDING:
        file.write_bytes(before)
        with sqlite3.connect(file) as connection:
            connection.executescript(change)
        connection.close()
        with open_fleet_store(yard.settings) as store, pytest.raises(Tampered):
            list(FleetScan(store, yard.plan().fleet, tend=lambda: None, by=Silent()).scan)
    file.write_bytes(before)
    with open_fleet_store(yard.settings) as store:
        results = list(FleetScan(store, fleet, tend=lambda: None, by=Silent()).scan)
    assert len(lines(results)) == COUNT - 1


def test_a_worker_with_another_key_does_not_work_on_it(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = yard.plan().fleet
    (yard.home / "fingerprint.key").unlink()
    _work(yard, fleet.id)
    assert {unit.state for unit in yard.units(fleet)} == {UnitState.PENDING}
    assert "fleet.unfit" in capsys.readouterr().out


def test_the_command_line_says_what_does_not_go_with_a_fleet(yard: Yard) -> None:
    for more in (["--staged", "."], ["--trust", "base"]):
        done = _stanch(yard, "scan", "--fleet", str(yard.file), *more)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"help: " in done.stderr


@pytest.mark.usefixtures("logging")
def test_what_a_fleet_prints_can_be_typed_and_the_fleet_reads_it(
    yard: Yard, repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (yard.file.parent / "mirrors").symlink_to(repositories)
    yard.write('targets = ["mirrors/app1"]\n')
    monkeypatch.chdir(yard.file.parent.parent)
    typed = ["scan", "--fleet", str(yard.file), "--workers", "1"]
    shown = CliRunner().invoke(stanch, typed, obj=_open_fleet)
    assert shown.exit_code == 1, shown.output
    (line,) = [each for each in shown.stderr.splitlines() if "what is no secret: " in each]
    assert f"stanch respond {repositories.name}/app1\n" in shown.stderr
    command = shlex.split(line.partition(": ")[2].replace('"WHY"', "sample --author me@x"))
    added = CliRunner().invoke(stanch, command[1:])
    assert added.exit_code == 0, added.output
    assert (yard.file.parent / ".stanch-baseline").exists()
    again = CliRunner().invoke(stanch, typed, obj=_open_fleet)
    assert (again.exit_code, ": 1 unit\n" in again.stderr) == (0, True), again.output


@pytest.mark.usefixtures("logging")
def test_fleets_says_how_far_each_is_and_why_units_were_set_aside(
    yard: Yard, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    yard.write('targets = ["http://git.example.com/app.git"]\n')  # which is not asked without TLS
    fleet = yard.plan().fleet
    _work(yard, fleet.id)
    command.main([], standalone_mode=False)
    said = " ".join(capsys.readouterr().out.split())
    assert f"{fleet.id[:8]} going on {yard.file}" in said
    assert "1 of 1 unit · 1 set aside · 0 places" in said
    command.main([fleet.id[:8]], standalone_mode=False)
    assert "aside git.example.com/app git.example.com is not asked" in " ".join(
        capsys.readouterr().out.split()
    )
    with pytest.raises(UsageError, match="no fleet begins with 'x'"):
        command.main(["x"], standalone_mode=False)


def test_who_stops_a_fleet_gives_back_what_is_in_hand(yard: Yard) -> None:
    fleet = yard.plan().fleet

    def stop(_unit: str, boundary: str) -> None:
        if boundary == "claimed":
            raise SystemExit

    with hands(yard.settings, trace=stop)("test") as hand, pytest.raises(SystemExit):
        hand.work(fleet.id)
    stood = {(each.state, each.losses, each.lease_until) for each in yard.units(fleet)}
    assert stood == {(UnitState.PENDING, 0, None)}


def test_two_who_ask_for_the_same_are_told_the_same(yard: Yard) -> None:
    fleet = yard.plan().fleet
    _work(yard, fleet.id)
    with open_fleet_store(yard.settings) as store:
        one, other = (FleetScan(store, fleet, tend=lambda: None, by=Silent()) for _ in range(2))
        first = lines(list(one.scan))
        one.told()
        assert lines(list(other.scan)) == first
        other.told()


def test_at_a_terminal_one_line_tells_how_far_it_is_and_makes_room(yard: Yard) -> None:
    here, there = pty.openpty()
    command = [sys.executable, "-m", "stanch", "scan", "--fleet", str(yard.file), "--quiet"]
    with subprocess.Popen(command, env=yard.environment, stdout=there, stderr=there):
        os.close(there)
        parts = []
        with contextlib.suppress(OSError):  # how a terminal says that it is over
            while part := os.read(here, 1 << 16):
                parts.append(part)
    os.close(here)
    said = b"".join(parts).decode()
    assert "\r\x1b[K0 of 6 units" in said
    assert "MB/s" not in said, "the line of a scan that this process does itself"
    assert said.rindex("\r\x1b[K") < said.index("CRITICAL")


def test_how_far_it_is_fits_in_a_line() -> None:
    states = {UnitState.DONE: 49, UnitState.ASIDE: 1, UnitState.RUNNING: 2, UnitState.PENDING: 48}
    states |= {UnitState.WAITING: 0, UnitState.OMITTED: 7}
    progress = FleetProgress(states=states, findings=1234, size=5_000_000)
    assert words(progress, 90.0) == (
        "50 of 100 units · 2 running · 1 set aside · 1,234 places · 5 MB · about 2 min left"
    )


def _work(yard: Yard, fleet: str) -> None:
    with hands(yard.settings)("test") as hand:
        while (pause := hand.work(fleet)) is not None:
            time.sleep(pause.total_seconds())


def _stanch(yard: Yard, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "stanch", *arguments]
    return subprocess.run(command, env=yard.environment, capture_output=True, check=False)
