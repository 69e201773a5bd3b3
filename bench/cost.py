"""What a command costs with all of its processes, also those that outlive their parents."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from own import installed  # type: ignore[import-not-found]  # scripts of one folder
from scan import binary, install  # type: ignore[import-not-found]  # as above

REPEATS = 3
_EVERY = 0.05  # seconds between two looks at the memory
_ORPHANS_ARE_MINE = 36  # PR_SET_CHILD_SUBREAPER
_WORKED = {0, 1, 3, 200, 205}  # clean, found something, and the peers' own ways to say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Processor and wall-clock seconds, peak memory of all processes in MB, exit code."""

    cpu: float
    wall: float
    memory: float
    code: int

    @property
    def worked(self) -> bool:
        """Whether it has scanned at all."""
        return self.code in _WORKED


def measure(argv: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run once, in a process of its own whose children's times begin at zero."""
    argv = [sys.executable, __file__, *argv]  # below, `_main`
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **environment}
    ) as run:
        peak = 0.0
        while run.poll() is None:
            peak = max(peak, sum(map(_memory, _below(run.pid))))
            time.sleep(_EVERY)
        assert run.stdout is not None
        cpu, wall, code = json.loads(run.stdout.read())
    return Cost(cpu=cpu, wall=wall, memory=peak, code=code)


def compared(
    paths: Sequence[str], peers: Mapping[str, Sequence[str]], *, twice: bool = False
) -> None:
    """Scan each path with everybody, in turns; print the medians and the ratios."""
    found: dict[str, tuple[float, float]] = {}
    print("path                 scanner                 cpu s    wall s   peak MB  exit")
    for path in map(Path, paths):
        with tempfile.TemporaryDirectory(prefix="stanch-bench-") as work:
            runs = _runs(path.resolve(), Path(work), peers, twice=twice)
        for name, cost in runs.items():
            numbers = f"{cost.cpu:8.2f}  {cost.wall:8.2f}  {cost.memory:8.0f}  {cost.code:4}"
            print(f"{path.stem:20} {name:20} {numbers}", flush=True)
        rivals = [runs[name] for name in peers if name in runs and runs[name].worked]
        own = runs["stanch"]
        if rivals and own.worked:
            cpu, wall = (min(each.cpu for each in rivals), min(each.wall for each in rivals))
            found[path.stem] = (cpu / own.cpu, wall / own.wall)
    if not found:
        return
    print("\nbest peer / Stanch      cpu    wall")
    found["median"] = _each(statistics.median, list(found.values()))
    found["minimum"] = _each(min, list(found.values()))
    for name, (cpu, wall) in found.items():
        print(f"{name:20} {cpu:6.2f}  {wall:6.2f}")


def _each(
    pick: Callable[[list[float]], float], pairs: list[tuple[float, float]]
) -> tuple[float, float]:
    return pick([cpu for cpu, _ in pairs]), pick([wall for _, wall in pairs])


def _runs(
    path: Path, work: Path, peers: Mapping[str, Sequence[str]], *, twice: bool
) -> dict[str, Cost]:
    """The median of each scanner's runs; a second scan finds what the first has kept."""
    own = [str(installed().with_name("stanch")), "scan", str(path), "--format", "jsonl"]
    commands = {"stanch": [*own, "--output", str(work / "own")]}
    if twice:
        commands["stanch, second scan"] = commands["stanch"]
    for name, options in peers.items():
        program = binary(name) or (binary(name) if install(name) else None)
        if program is not None:
            out = work / f"{name}.json"
            commands[name] = [str(program), *(each.format(path=path, out=out) for each in options)]
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for repeat in range(REPEATS):
        for name, argv in commands.items():
            costs[name].append(measure(argv, {"STANCH_HOME": str(work / f"home{repeat}")}))
    return {
        name: sorted(each, key=lambda cost: cost.cpu)[REPEATS // 2] for name, each in costs.items()
    }


def _below(process: int) -> Iterator[int]:
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        children = [child for each in threads for child in (each / "children").read_text().split()]
    except OSError:  # it has ended
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _memory(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _main(argv: Sequence[str]) -> None:
    ctypes.CDLL(None).prctl(_ORPHANS_ARE_MINE, 1)
    began = time.perf_counter()
    code = subprocess.run(
        argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode
    wall = time.perf_counter() - began
    with contextlib.suppress(ChildProcessError):  # until nobody is left
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([used.ru_utime + used.ru_stime, wall, code]))


if __name__ == "__main__":
    _main(sys.argv[1:])
