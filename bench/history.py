"""How fast a full history is, and a second scan of it, next to betterleaks in its git mode.

The repository is made on the spot with ``git fast-import``: real source text that grows and
changes over more than ten thousand commits, with a few generated tokens that come and go.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from own import installed  # type: ignore[import-not-found]  # as below
from scan import binary, install, token  # type: ignore[import-not-found]  # scripts of one folder

COMMITS = 12_000
FILES = 900
PLANTED = 20
REPEATS = 3
MORE = 10  # commits made before the third kind of scan
LIMIT = 600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: wall-clock seconds, peak memory of the largest process in MB, planted found."""

    seconds: float
    memory: float
    found: int


def main() -> None:
    """Make the repository, scan it with both, print the table."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        repository = Path(folder) / "history.git"
        tokens = build(repository)
        print("As git fast-import leaves a repository, with poor differences:\n")
        compare(repository, Path(folder) / "imported", tokens)
        subprocess.run(["git", "-C", str(repository), "repack", "-adfq"], check=True)
        print("\nRepacked, as the manual of fast-import advises and servers do:\n")
        compare(repository, Path(folder) / "repacked", tokens)


def compare(repository: Path, work: Path, tokens: Sequence[str]) -> None:
    """Scan the repository with both, in turns, and print the table."""
    work.mkdir()
    report = work / "report.json"
    runs: dict[str, list[Measured]] = {}
    betterleaks = peer(repository, report)
    for repeat in range(REPEATS):
        ours = stanch(repository, report)
        for name, argv in (
            ("stanch, first scan", ours),
            ("stanch, second scan", ours),
            ("betterleaks git", betterleaks),
        ):
            if argv is not None:
                run = measure(argv, report, tokens, work / f"home{repeat}")
                runs.setdefault(name, []).append(run)
    extend(repository, work.name)
    name = f"stanch, {MORE} commits later"
    runs[name] = [measure(stanch(repository, report), report, tokens, work / "home0")]
    show(repository, runs)


def build(repository: Path) -> tuple[str, ...]:
    """A bare repository with :data:`COMMITS` commits; returns the tokens planted in it."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    chance = random.Random(7)  # noqa: S311  # the same history every time
    tokens = tuple(token(chance) for _ in range(PLANTED))
    feed(repository, commits(chance, tokens))
    subprocess.run(["git", "-C", str(repository), "repack", "-adq"], check=True)
    return tokens


def feed(repository: Path, stream: Iterator[bytes]) -> None:
    """Write a stream of commits with fast-import."""
    argv = ["git", "-C", str(repository), "fast-import", "--quiet", "--force"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        git.stdin.writelines(stream)
    if git.returncode:
        sys.exit("git fast-import failed")


def commits(chance: random.Random, tokens: Sequence[str]) -> Iterator[bytes]:
    """Files arrive, then a few of them change with each commit, as in a project that lives."""
    sources = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py"))
    texts = [path.read_bytes() for path in sources if 2_000 < path.stat().st_size < 60_000]
    chance.shuffle(texts)
    files = {
        f"src/{n % 40}/module_{n}.py": text.splitlines(True) for n, text in enumerate(texts[:FILES])
    }
    spare = [line for text in texts[FILES : 2 * FILES] for line in text.splitlines(True)]
    names = sorted(files)
    for number in range(COMMITS):
        changed = {names[number % len(names)]} if number < len(names) else set()
        for _ in range(chance.randrange(1, 4)):
            name = chance.choice(names[: max(1, min(number, len(names)))])
            edit(files[name], spare, chance)
            changed.add(name)
        every = COMMITS // PLANTED
        if number % every == every // 2:
            name = f"deploy/settings_{number // every:02}.py"
            files[name] = [b'GITHUB_TOKEN = "%s"\n' % tokens[number // every].encode()]
            changed.add(name)
        elif number % every == every // 2 + 5:
            files[f"deploy/settings_{number // every:02}.py"] = [b"GITHUB_TOKEN = None\n"]
            changed.add(f"deploy/settings_{number // every:02}.py")
        yield from commit(number, {name: b"".join(files[name]) for name in sorted(changed)})


def edit(lines: list[bytes], spare: Sequence[bytes], chance: random.Random) -> None:
    """Replace, add and drop a few lines at one place."""
    at, cut = chance.randrange(len(lines) + 1), chance.randrange(4)
    begin = chance.randrange(len(spare) - 12)
    lines[at : at + cut] = spare[begin : begin + chance.randrange(1, 12)]


def commit(number: int, files: dict[str, bytes], parent: str = "") -> Iterator[bytes]:
    """One commit for fast-import."""
    when = 1_600_000_000 + number * 3600
    yield b"commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\n" % when
    yield b"data 6\nchange\n"
    if parent:
        yield b"from %s\n" % parent.encode()
    for name, text in files.items():
        yield b"M 100644 inline %s\ndata %d\n" % (name.encode(), len(text))
        yield text
        yield b"\n"


def extend(repository: Path, folder: str) -> None:
    """A few commits more, as between two scans."""

    def stream() -> Iterator[bytes]:
        for number in range(MORE):
            parent = "refs/heads/main^0" if number == 0 else ""
            name = f"{folder}/{number}.py"
            text = f"# {name}\n".encode() + b"x = 1\n" * 200
            yield from commit(COMMITS + number, {name: text}, parent)

    feed(repository, stream())


@cache
def wheel() -> Path:
    """An interpreter with stanch as users have it."""
    return Path(installed())


def stanch(repository: Path, report: Path) -> list[str]:
    """Our command line."""
    program = wheel().with_name("stanch")
    return [str(program), "scan", str(repository), "--format", "jsonl", "--output", str(report)]


def peer(repository: Path, report: Path) -> list[str] | None:
    """Betterleaks' command line, after installing it; None when that fails."""
    found = binary("betterleaks") or (binary("betterleaks") if install("betterleaks") else None)
    if found is None:
        return None
    return [str(found), "git", str(repository), "--no-banner", "--output", str(report)]


def measure(argv: Sequence[str], report: Path, tokens: Sequence[str], home: Path) -> Measured:
    """Run once, in a process of its own that knows the peak memory of its children."""
    report.unlink(missing_ok=True)
    program = (
        "import ctypes,json,os,resource,subprocess,sys,time\n"
        "ctypes.CDLL(None).prctl(36,1)\n"  # whoever outlives its parent becomes a child of ours
        "began=time.perf_counter()\n"
        "done=subprocess.run(sys.argv[1:],capture_output=True)\n"
        "took=time.perf_counter()-began\n"
        "try:\n"
        "    while True: os.wait()\n"
        "except ChildProcessError: pass\n"
        "print(json.dumps([took,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *argv],
        check=True,
        capture_output=True,
        timeout=LIMIT,
        env=dict(os.environ) | {"STANCH_HOME": str(home)},
    )
    seconds, kilobytes = json.loads(done.stdout)
    if not report.exists():
        sys.exit(f"{argv[0]} failed")
    text = report.read_text(errors="replace")
    found = sum(f"settings_{number:02}.py" in text for number in range(len(tokens)))
    return Measured(seconds=seconds, memory=kilobytes / 1024, found=found)


def show(repository: Path, runs: dict[str, list[Measured]]) -> None:
    """The table, with the ratios."""
    count = subprocess.run(
        ["git", "-C", str(repository), "count-objects", "-vH"], check=True, capture_output=True
    ).stdout.decode()
    packed = dict(line.split(": ") for line in count.splitlines())
    print(f"{COMMITS:,} commits, {packed['in-pack']} objects, {packed['size-pack']} packed;")
    print(f"median of {REPEATS} runs in turns\n")
    print("scan                         seconds   peak MB   planted")
    medians = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    for name, each in runs.items():
        memory, found = max(run.memory for run in each), min(run.found for run in each)
        print(f"{name:26} {medians[name]:9.2f} {memory:9.0f}   {found:3}/{PLANTED}")
    first = medians["stanch, first scan"]
    if "betterleaks git" in medians:
        print(f"\nfirst scan: {medians['betterleaks git'] / first:.1f} x faster than betterleaks")
    print(f"second scan: {medians['stanch, second scan'] / first:.1%} of the first")


if __name__ == "__main__":
    main()
