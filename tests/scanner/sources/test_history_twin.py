"""A history read by its additions gives what reading every version of every file whole gives."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stanch.scanner.api import Fragment, InStream, Match, Scanner

Token = Callable[[int], str]
Place = tuple[str, str, str]

COMMITS = 40
FILES = 6


def _stream(token: Token, chance: random.Random) -> Iterator[bytes]:
    """Commits for fast-import: edits everywhere, tokens that come, move, go and come back."""
    files = {
        f"{n % 2}/f{n}.py": [
            f"value_{k} = {chance.random()}\n" for k in range(chance.choice([9, 300]))
        ]
        for n in range(FILES)
    }
    for number in range(COMMITS):
        yield b"commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\n" % (
            1_600_000_000 + number
        )
        yield b"data 6\nchange\n"
        for name in sorted(chance.sample(sorted(files), 3)):
            lines = files[name]
            for _ in range(chance.randrange(1, 3)):
                at = chance.randrange(len(lines))
                new = (
                    f"api = '{token(chance.randrange(20))}'\n"
                    if chance.random() < 0.3
                    else "x = 1\n"
                )
                lines[at : at + chance.randrange(2)] = [new]
            text = "".join(lines).encode()
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(text), text)


def _imported(repo: Any, token: Token) -> None:
    stream = b"".join(_stream(token, random.Random(11)))  # noqa: S311  # the same every time
    argv = ["git", "-C", str(repo.path), "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet"]
    subprocess.run([*argv, "--force"], check=True, input=stream)


def _whole(repo: Any, scanner: Scanner) -> set[Place]:
    """Secret, path and the first commit that has it there, from every version read as a whole."""
    first: dict[tuple[str, str], str] = {}
    listed = repo.git("log", "--reverse", "--raw", "--no-abbrev", "--format=%H", "main")
    commit = ""
    for line in filter(None, listed.splitlines()):
        if not line.startswith(":"):
            commit = line
            continue
        oid, path = line.split()[3], line.split("\t")[1]
        data = repo.git("cat-file", "blob", oid).encode() + b"\n"
        for match in scanner._engine.scan(Fragment(data=data, provenance=InStream(path=path))):
            for value in match.parts.values():
                first.setdefault((value.reveal().decode(), path), commit)
    return {(secret, path, commit) for (secret, path), commit in first.items()}


@pytest.mark.parametrize(
    ("packed", "stretch", "batch"),
    [
        ("as imported", 65_536, 256),
        ("as imported", 65_536, 5),
        ("repacked", 65_536, 256),
        ("repacked", 65_536, 5),
        ("repacked", 7, 256),
        ("loose", 65_536, 256),
    ],
)
def test_additions_give_what_whole_versions_give(
    repo: Any,
    scanner: Scanner,
    token: Token,
    *,
    packed: str,
    stretch: int,
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stanch.scanner.sources.git.history._STRETCH", stretch)
    monkeypatch.setattr("stanch.scanner.sources.git.history._BATCH", batch)
    _imported(repo, token)
    if packed == "repacked":
        repo.git("repack", "-adfq")
    elif packed == "loose":
        (pack,) = (repo.path / ".git" / "objects" / "pack").glob("*.pack")
        pack = pack.rename(repo.path / "away.pack")
        pack.with_suffix(".idx").unlink(missing_ok=True)
        for index in (repo.path / ".git" / "objects" / "pack").glob("*"):
            index.unlink()
        with pack.open("rb") as file:
            argv = ["git", "-C", str(repo.path), "unpack-objects", "-q"]
            subprocess.run(argv, check=True, stdin=file)
    results = list(scanner.scan_path(repo.path, worktree=False, history=True))
    found = {
        (value.reveal().decode(), match.finding.path, match.finding.commit)
        for match in results
        if isinstance(match, Match)
        for value in match.parts.values()
    }
    expected = _whole(repo, scanner)
    assert len(expected) > 20
    assert found == expected
