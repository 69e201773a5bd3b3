"""How long a commit waits for its hook, next to other scanners, process start included."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from own import installed  # type: ignore[import-not-found]  # as below
from scan import (  # type: ignore[import-not-found]  # scripts of one folder
    CACHE,
    binary,
    install,
    token,
)

REPEATS = 15
FILES = 4
LINES = 60
DETECT_SECRETS = "detect-secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A command that a pre-commit hook would run."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Seconds over harmless files, over files with a token, and whether that token was blocked."""

    clean: list[float]
    leak: list[float]
    blocks: bool


def main() -> None:
    """Stage four small files, run every hook in turn, print the table."""
    with tempfile.TemporaryDirectory(prefix="stanch-hook-") as folder:
        place = Path(folder) / "place"
        names = plant(place)
        contenders = [each for each in (*ours(place), *peers(names)) if each is not None]
        clean = timed(contenders, place, REPEATS)
        chance = random.Random(21)  # noqa: S311  # the same every time
        (place / names[0]).write_text(f'KEY = "{token(chance)}"\n')
        git(place, "add", ".")
        leak = timed(contenders, place, REPEATS // 2)
        results = {
            name: Result(
                clean=[seconds for seconds, _ in clean[name]],
                leak=[seconds for seconds, _ in leak[name]],
                blocks=all(code != 0 for _, code in leak[name]),
            )
            for name in clean
        }
    show(results)


def timed(
    contenders: Sequence[Contender], place: Path, repeats: int
) -> dict[str, list[tuple[float, int]]]:
    """Seconds and exit code of every run of every contender, in turns."""
    runs: dict[str, list[tuple[float, int]]] = {each.name: [] for each in contenders}
    for repeat in range(repeats + 1):
        for each in contenders:
            seconds, code = run(each, place)
            if code not in {0, 1}:  # 1: something was found, rightly or not
                sys.exit(f"{each.name}: exit code {code}")
            if repeat:  # the first round fills the caches of disk and rules
                runs[each.name].append((seconds, code))
    return runs


def plant(place: Path) -> list[str]:
    """A repository with a commit, and four files of ordinary source text staged in it."""
    place.mkdir()
    git(place, "init", "-q")
    git(place, "-c", "user.name=a", "-c", "user.email=a@example.org",
        "commit", "-q", "--allow-empty", "-m", "begin")  # fmt: skip
    library = Path(sysconfig.get_paths()["stdlib"])
    names = []
    for number, source in enumerate(("textwrap", "shlex", "fnmatch", "bisect")[:FILES]):
        text = (library / f"{source}.py").read_text().splitlines(keepends=True)
        names.append(f"part_{number}.py")
        (place / names[-1]).write_text("".join(text[:LINES]))
    git(place, "add", ".")
    return names


def ours(place: Path) -> list[Contender]:
    """Our hook as `stanch hook install` writes it, from a wheel as users have it."""
    stanch = str(installed().with_name("stanch"))
    subprocess.run([stanch, "hook", "install"], cwd=place, check=True, capture_output=True)
    return [
        Contender(name="stanch", argv=(str(place / ".git" / "hooks" / "pre-commit"),)),
        Contender(name="stanch --version", argv=(stanch, "--version")),
    ]


def peers(names: Sequence[str]) -> list[Contender | None]:
    """The peers' own hooks."""
    commands: dict[str, Callable[[], tuple[str, ...] | None]] = {
        "betterleaks": lambda: _native("betterleaks", "git", "--staged"),
        "gitleaks": lambda: _native("gitleaks", "git", "--pre-commit", "--staged"),
        "detect-secrets-hook": lambda: _detect_secrets(names),
    }
    made: list[Contender | None] = []
    for name, command in commands.items():
        argv = command()
        if argv is None:
            print(f"{name}: could not be installed")
        made.append(Contender(name=name, argv=argv) if argv else None)
    return made


def _native(name: str, *arguments: str) -> tuple[str, ...] | None:
    program = binary(name) or (binary(name) if install(name) else None)
    return (str(program), *arguments, "--no-banner") if program else None


def _detect_secrets(names: Sequence[str]) -> tuple[str, ...] | None:
    program = CACHE / "bin" / "detect-secrets-hook"
    if not program.exists():
        if not (CACHE / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", str(CACHE)], check=True)
        pip = [str(CACHE / "bin" / "python"), "-m", "pip", "install", "--quiet", DETECT_SECRETS]
        subprocess.run(pip, check=False, capture_output=True)
    return (str(program), *names) if program.exists() else None


def run(contender: Contender, place: Path) -> tuple[float, int]:
    """Seconds and exit code of one run."""
    began = time.perf_counter()
    done = subprocess.run(
        contender.argv,
        cwd=place,
        check=False,
        capture_output=True,
        timeout=60,
        env=dict(os.environ),
    )
    return time.perf_counter() - began, done.returncode


def git(place: Path, *arguments: str) -> None:
    """Run git in the place."""
    subprocess.run(["git", *arguments], cwd=place, check=True, capture_output=True)


def show(results: dict[str, Result]) -> None:
    """The table."""
    print(f"{FILES} staged files of {LINES} lines; median of {REPEATS} runs in turns\n")
    ours = statistics.median(results["stanch"].clean)
    print("hook                  ms   (min..max)   with a token   blocks it   stanch is")
    for name, result in results.items():
        middle = statistics.median(result.clean)
        span = f"{min(result.clean) * 1e3:.0f}..{max(result.clean) * 1e3:.0f}"
        if name.endswith("--version"):
            print(f"{name:20} {middle * 1e3:4.0f}   {span}")
            continue
        ratio = "" if name == "stanch" else f"{middle / ours:.1f} x faster"
        leak = f"{statistics.median(result.leak) * 1e3:.0f}"
        caught = "yes" if result.blocks else "NO"
        print(f"{name:20} {middle * 1e3:4.0f}   {span:12} {leak:12}   {caught:9}   {ratio}")


if __name__ == "__main__":
    main()
