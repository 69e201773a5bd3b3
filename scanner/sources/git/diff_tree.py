"""Which contents each commit of a history introduced, as ``git diff-tree`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.git.bounds import COMPARISON
from stanch.scanner.sources.git.repository import (
    SUBMODULES,
    Repository,
    records,
    start,
    why,
)

HISTORY = "git history"
"""The place of what is wrong with no file in particular."""

Introduced = tuple[bytes, list[tuple[bytes, bytes, bytes]]]
"""A commit and the contents that it introduced: object id, path, and id of what stood there before
(zeros where nothing did)."""

_COMMIT = b"\x1e"
_SUBMODULE = b"160000"
_DIFF = (
    "diff-tree",
    "--stdin",
    "--raw",
    "-r",
    "-z",
    "-c",
    "--root",
    "--always",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    SUBMODULES,
    "--no-textconv",
    "--format=%x1e%H",
)
_RESTARTS = 64  # each costs a start of git; a repository with more broken commits is beyond repair


def introduced(repository: Repository, commits: Sequence[bytes]) -> Iterator[Introduced | Gap]:
    """What each of the commits introduced, in their order; gaps where something cannot be read."""
    done = 0
    for _ in range(_RESTARTS):
        if done == len(commits):
            return
        begun = done
        feed = b"\n".join((*commits[done:], b""))
        with start(repository, *_DIFF, feed=feed, data=COMPARISON) as git:
            for answer in changes(records(git, most_records(len(commits)))):
                done += 1
                yield answer
        if not git.failed:
            return
        # An unreadable commit or tree ends git; go on behind it.
        at = commits[max(done - 1, 0)].decode()[:12]
        what = f"broken commit or tree at {at} or behind it: {why(repository, git, _DIFF[0])}"
        yield Gap(path=HISTORY, why=what, incomplete=True)
        if git.endless:
            return
        if done == begun:
            yield commits[done], []
            done += 1
    yield Gap(path=HISTORY, why="too many broken commits, gave up", incomplete=True)


def most_records(commits: int) -> int:
    """How much a comparison of so many commits may say: two records for each path.

    A dozen small trees can list billions of paths, each tree in many places of the next.
    """
    return 3_000_000 + 400 * commits


def changes(tokens: Iterator[bytes]) -> Iterator[Introduced]:
    """Each commit with the contents that it introduced.

    The stream is: mark and commit id, then for each change its modes and ids (a
    merge has those of every parent, and names only content that no parent has) and its path.
    """
    commit = b""
    found: list[tuple[bytes, bytes, bytes]] = []
    for token in tokens:
        if token.startswith(_COMMIT):
            if commit:
                yield commit, found
            commit, found = token[1:], []
        elif b":" in token[:2]:  # a line feed may be in front
            path = next(tokens, None)
            if path is None:
                break  # git has died
            fields = token.split()
            mode, oid = fields[len(fields) // 2 - 1], fields[-2]
            if mode != _SUBMODULE and oid.strip(b"0"):
                found.append((oid, path, fields[len(fields) // 2]))
    if commit:
        yield commit, found
