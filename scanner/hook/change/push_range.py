"""Which commits a push would bring, from the lines that git feeds to its hooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.query import commit_id, lines, why
from stanch.scanner.sources.git.repository import Repository

_PUSH_FIELDS = 4
_RECEIVE_FIELDS = 3


class Update(Record):
    """One ref that would move: the commit it would get, and the one that the other side has."""

    ref: str
    new: str
    old: str | None


def pushed(text: Iterable[str]) -> list[Update]:
    """Updates from pre-push's input: local ref, local id, remote ref, remote id (githooks(5))."""
    return [
        update
        for fields in _fields(text, _PUSH_FIELDS)
        if (update := _update(fields[2], fields[1], fields[3]))
    ]


def received(text: Iterable[str]) -> list[Update]:
    """Updates from pre-receive's input: old id, new id, ref (githooks(5))."""
    return [
        update
        for fields in _fields(text, _RECEIVE_FIELDS)
        if (update := _update(fields[2], fields[1], fields[0]))
    ]


def brought(repository: Repository, updates: Sequence[Update], *, known: str) -> list[str]:
    """Ids of the commits that the updates would bring, oldest first.

    ``known`` names the refs that the other side certainly has, as an argument of git rev-list:
    ``--remotes=origin`` for a push, ``--all`` on the server.
    """
    if not updates:
        return []
    tips = [commit_id(repository, each.new) for each in updates]
    for each, tip in zip(updates, tips, strict=True):
        if tip is None:
            # Whoever may hang a file directly under a ref would otherwise pass unseen.
            raise SourceError(
                f"{display(each.ref)} does not lead to a commit that can be read",
                remedy="push branches and tags of commits only",
            )
    olds = (each.old for each in updates if each.old and commit_id(repository, each.old))
    feed = "".join(f"{tip}\n" for tip in tips) + "".join(f"^{old}\n" for old in olds)
    listed = lines(
        repository, "rev-list", "--reverse", "--topo-order", "--stdin", "--not", known,
        feed=feed.encode(),
    )  # fmt: skip
    if listed is None:
        raise SourceError(
            f"the pushed commits cannot be listed: {why(repository, 'rev-list')}",
            remedy="check the repository with `git fsck`",
        )
    return listed


def _update(ref: str, new: str, old: str) -> Update | None:
    """None for a deletion, which brings nothing."""
    if not new.strip("0"):
        return None
    return Update(ref=ref, new=new, old=old if old.strip("0") else None)


def _fields(text: Iterable[str], count: int) -> list[list[str]]:
    rows = [line.split() for line in text if line.strip()]
    if any(len(row) != count for row in rows):
        raise UsageError(
            f"the input does not have {count} fields a line, as git feeds to this hook",
            remedy="let git run it: stanch hook install",
        )
    return rows
