"""Which contents each commit of a history introduced, asked of several gits that share the commits.

Comparing trees is half a small scan's time, and one git uses one processor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.git.bounded_process import Git
from stanch.scanner.sources.git.repository import (
    SUBMODULES,
    Repository,
    records,
    start,
    why,
)

HISTORY = "git history"
"""The place of what is wrong with no file in particular."""

Introduced = tuple[bytes, list[tuple[bytes, bytes]]]
"""A commit and the contents that it introduced, as object id and path."""

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
_RUN = 128  # commits that one git compares before the next is listened to: about a full pipe
_GITS = 4  # at most: one process reads what all of them say
_RESTARTS = 64  # each costs a start of git; a repository with more broken commits is beyond repair


def introduced(repository: Repository, commits: Sequence[bytes]) -> Iterator[Introduced | Gap]:
    """What each of the commits introduced, in their order; gaps where something cannot be read."""
    runs = [commits[at : at + _RUN] for at in range(0, len(commits), _RUN)]
    size = min(_GITS, len(os.sched_getaffinity(0)), len(runs))
    gits = [
        _Comparison(
            repository=repository, name=f"diff-tree-{number}", commits=[*chain(*runs[number::size])]
        )
        for number in range(size)
    ]
    answers = [each.answers() for each in gits]
    try:
        for number, run in enumerate(runs):
            yield from _next(answers[number % size], len(run))
        yield from chain(*answers)  # whether git has failed at its last commit is said behind it
    finally:
        for each in gits:
            each.close()


def _next(answers: Iterator[Introduced | Gap], commits: int) -> Iterator[Introduced | Gap]:
    """What is said of the next so many commits."""
    while commits and (answer := next(answers, None)) is not None:
        commits -= not isinstance(answer, Gap)
        yield answer


class _Comparison:
    """One git that compares the commits with their parents, from now on."""

    def __init__(self, *, repository: Repository, name: str, commits: Sequence[bytes]) -> None:
        self.repository, self.name, self.commits = repository, name, commits
        self._git = self._started(0)

    def answers(self) -> Iterator[Introduced | Gap]:
        """What each of the commits introduced."""
        done = 0
        for _ in range(_RESTARTS):
            begun = done
            with self._git as git:
                for answer in changes(records(git, most_records(len(self.commits)))):
                    done += 1
                    yield answer
            if not git.failed:
                return
            # An unreadable commit or tree ends git; go on behind it.
            at = self.commits[max(done - 1, 0)].decode()[:12]
            complained = why(self.repository, git, self.name)
            what = f"broken commit or tree at {at} or behind it: {complained}"
            yield Gap(path=HISTORY, why=what, incomplete=True)
            if done == len(self.commits) or git.endless:
                return
            if done == begun:
                yield self.commits[done], []
                done += 1
            self._git = self._started(done)
        yield Gap(path=HISTORY, why="too many broken commits, gave up", incomplete=True)

    def close(self) -> None:
        """End git, if it still runs."""
        with self._git:
            pass

    def _started(self, done: int) -> Git:
        feed = b"\n".join((*self.commits[done:], b""))
        return start(self.repository, *_DIFF, feed=feed, name=self.name)


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
    found: list[tuple[bytes, bytes]] = []
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
                found.append((oid, path))
    if commit:
        yield commit, found
