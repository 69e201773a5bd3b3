"""What the tests of every room of the scanner share: tokens made on the spot, real repositories."""

from __future__ import annotations

import binascii
import random
import string
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stanch.scanner.api import FingerprintKey, Gap, Match, Scanner, SecretValue

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ann Example",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann Example",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_AUTHOR_DATE": "2024-02-03T04:05:06+02:00",
    "GIT_COMMITTER_DATE": "2024-02-03T04:05:06+02:00",
}


def github_token(seed: int) -> str:
    """A personal access token with a true checksum, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311  # nothing is protected by it
    body = "".join(chance.choice(_ALPHABET) for _ in range(30))
    rest, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = _ALPHABET[digit] + digits
    return "gh" + "p_" + body + digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A real repository under the test's folder."""

    path: Path

    def git(self, *arguments: str) -> str:
        """Run git in it as its owner would."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=_ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Put a file into the working tree."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, path: str, text: str) -> str:
        """Write, add and commit one file; returns the commit's id."""
        self.write(path, text)
        self.git("add", "-f", path)
        self.git("commit", "-q", "-m", f"change {path}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def token() -> Callable[[int], str]:
    return github_token


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    path = tmp_path / "repo"
    path.mkdir()
    made = Repo(path=path)
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture(scope="session")
def scanner() -> Scanner:
    return Scanner(key=FingerprintKey(SecretValue(bytes(range(32)))), processes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a scan brought, sorted out."""

    matches: tuple[Match, ...]
    gaps: tuple[Gap, ...]

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(each.finding.path, each.finding.span.line) for each in self.matches]

    @property
    def secrets(self) -> list[str]:
        return [v.reveal().decode() for each in self.matches for v in each.parts.values()]

    @property
    def incomplete(self) -> list[Gap]:
        return [gap for gap in self.gaps if gap.incomplete]


def sorted_out(results: Iterator[Match | Gap]) -> Outcome:
    found = list(results)
    return Outcome(
        matches=tuple(each for each in found if isinstance(each, Match)),
        gaps=tuple(each for each in found if isinstance(each, Gap)),
    )


@pytest.fixture
def scan(scanner: Scanner) -> Callable[..., Outcome]:
    def run(path: Path, **options: bool | None) -> Outcome:
        return sorted_out(iter(scanner.scan_path(path, **options)))  # type: ignore[arg-type]  # bools

    return run


@pytest.fixture
def tree(tmp_path: Path, token: Callable[[int], str]) -> Path:
    """A thousand files, twenty of them with a token, and a binary one."""
    root = tmp_path / "tree"
    for number in range(1000):
        target = root / f"{number % 10}" / f"{number:04}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(token(number) if number % 50 == 0 else "x")
    (root / "5" / "x.bin").write_bytes(b"\0")
    return root
