"""What git knows of a file, and what keeps the file out of it from now on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stanch.responder.lifecycle.migration.result import Line

# The repository's own settings name programs that git would run.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree."""

    root: Path

    @classmethod
    def of(cls, path: Path) -> Repository | None:
        """The one that a file lies in."""
        try:
            done = _git(path.resolve().parent, "rev-parse", "--show-toplevel")
        except FileNotFoundError:
            return None
        text = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return cls(Path(text)) if done.returncode == 0 and text else None

    def guard(self, path: Path) -> Iterator[Line]:
        """Ignore it, install the hook, and say what history already has."""
        real = path.resolve()
        name = real.relative_to(self.root).as_posix()
        if self._says("ls-files", "--error-unmatch", "--", name):
            why = f"git tracks it: git rm --cached {name}, and commit that"
            yield Line(name=path.name, said="tracked", place=str(path), detail=why, bad=True)
        if self._output("log", "--all", "--format=%h", "-n", "1", "--", name):
            why = "history has it with its old values: rotate them, moving them undoes no leak"
            yield Line(name=path.name, said="in history", place=str(path), detail=why, bad=True)
        yield self._ignored(path, name)
        yield self._hook(path)

    def _ignored(self, path: Path, name: str) -> Line:
        if self._says("check-ignore", "-q", "--no-index", "--", name):
            return Line(name=path.name, said="ignored", place=str(path))
        file = self.root / ".gitignore"
        try:
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            gap = "\n" if before and not before.endswith("\n") else ""
            with file.open("a", encoding="utf-8") as opened:
                opened.write(f"{gap}/{_literal(name)}\n")
        except (OSError, UnicodeDecodeError) as error:
            return Line(
                name=path.name, said="not ignored", place=str(file), detail=str(error), bad=True
            )
        return Line(name=path.name, said="ignored", place=str(file), detail="added")

    def _hook(self, path: Path) -> Line:
        """Our own hook looks at every commit; one that somebody else has installed stays."""
        done = subprocess.run(
            (sys.executable, "-m", "stanch.scanner.hook", "install"),
            cwd=self.root,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            return Line(name=path.name, said="hook", place=str(self.root), detail="installed")
        why = "the hook is not installed: see `stanch hook install --help`"
        return Line(name=path.name, said="no hook", place=str(self.root), detail=why, bad=True)

    def _says(self, *arguments: str) -> bool:
        return _git(self.root, *arguments).returncode == 0

    def _output(self, *arguments: str) -> bytes:
        return _git(self.root, *arguments).stdout.strip()


def _literal(name: str) -> str:
    """As a pattern of .gitignore that matches this name alone."""
    return "".join(f"\\{sign}" if sign in "*?[\\ #!" else sign for sign in name)


def _git(place: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_")
    } | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(
        ("git", *_SAFE, *arguments),  # the git of this machine
        cwd=place,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
