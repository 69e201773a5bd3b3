"""What a range of commits brings: each new content once, and what was there before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.blob_reader import Blob
from stanch.scanner.sources.git.commit_metadata import instant
from stanch.scanner.sources.git.diff_tree import most_records
from stanch.scanner.sources.git.repository import (
    OVERDRAWN,
    SUBMODULES,
    Repository,
    records,
    start,
    why,
)

_COMMIT = b"\x1e"
_RAW = ("--raw", "-r", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", SUBMODULES)
_COMMITS = (
    "diff-tree",
    "--stdin",
    *_RAW,
    "-c",
    "--root",
    "--always",
    "--no-textconv",
    "--encoding=UTF-8",
    "--format=%x1e%H%x00%an <%ae>%x00%ct",
)
_SUBMODULE = b"160000"


class Changes(Record):
    """New contents in order, who brought them, and the ids of what they replaced."""

    new: tuple[Blob, ...]
    places: Mapping[Blob, InCommit]
    old: frozenset[str]


def committed(repository: Repository, commits: Sequence[str]) -> Changes:
    """What these commits (oldest first) bring; a merge brings what none of its parents has."""
    if not commits:
        return Changes(new=(), places={}, old=frozenset())
    git = start(repository, *_COMMITS, feed="".join(f"{oid}\n" for oid in commits).encode())
    new: dict[tuple[str, str], InCommit] = {}  # at another path another allowlist may count
    old: set[str] = set()
    with git:
        for change in parsed(records(git, most_records(len(commits)))):
            old.update(change.before)
            if change.after is not None:
                new.setdefault((change.after, change.place.path), change.place)
    if git.failed:
        lost = why(repository, git, _COMMITS[0])
        remedy = "fetch the whole range (fetch-depth: 0), or check with `git fsck`"
        if git.endless or lost == OVERDRAWN:
            remedy = "one of them is no real one, or brings too much at once: see `git log --stat`"
        raise SourceError(f"the commits cannot be read: {lost}", remedy=remedy)
    places = {Blob(oid, place.path, place.commit): place for (oid, _), place in new.items()}
    return Changes(new=tuple(places), places=places, old=frozenset(old - {oid for oid, _ in new}))


def earlier(changes: Changes) -> Iterator[Blob]:
    """The contents that the changes replaced or deleted, wherever they were."""
    for oid in sorted(changes.old):
        yield Blob(oid, "what was there before")


def replaced(repository: Repository) -> Iterator[Blob]:
    """What the staged changes replace or delete."""
    git = start(repository, "diff-index", "--cached", *_RAW, "HEAD", "--")
    with git:
        tokens = records(git)
        for change in tokens:
            path = next(tokens, None)
            if path is None:
                break  # git has died
            mode, _, oid = change.lstrip(b":").split()[:3]
            if mode != _SUBMODULE and oid.strip(b"0"):
                yield Blob(oid.decode(), display(path))
    if git.failed:  # before the first commit, for example
        return  # what is not known to have been there before counts as new


class _Change(Record):
    """One path of one commit: contents of all parents, content after it (None: deleted)."""

    before: tuple[str, ...]
    after: str | None
    place: InCommit


def parsed(tokens: Iterator[bytes]) -> Iterator[_Change]:
    """Mark and commit id, author and time, then for each change modes and ids, and its path."""
    oid = author = seconds = b""
    for token in tokens:
        if token.startswith(_COMMIT):
            oid, author, seconds = token[1:], next(tokens, b""), next(tokens, b"")
        elif (raw := token.removeprefix(b"\n")).startswith(b":"):
            path = next(tokens, None)
            if path is None:
                return  # git has died
            parents = len(raw) - len(raw.lstrip(b":"))
            fields = raw.lstrip(b":").split()
            modes, oids = fields[: parents + 1], fields[parents + 1 : 2 * parents + 2]
            real = [
                each.decode() if each.strip(b"0") and mode != _SUBMODULE else None
                for mode, each in zip(modes, oids, strict=True)
            ]
            yield _Change(
                before=tuple(each for each in real[:-1] if each is not None),
                after=real[-1],
                place=InCommit(
                    path=display(path),
                    commit=oid.decode(),
                    author=author.decode("utf-8", "replace"),
                    committed_at=instant(seconds),
                ),
            )
