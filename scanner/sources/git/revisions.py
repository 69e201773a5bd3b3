"""Which commits a repository has: from every ref and HEAD, whatever state they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.repository import Repository, complaint, said, start


def tips(repository: Repository) -> Iterator[str | Gap]:
    """The commits that refs and HEAD point to, each once; broken refs are gaps."""
    seen: set[str] = set()
    for found in _tips(repository):
        if isinstance(found, Gap):
            yield found
        elif (oid := found.decode()) not in seen:
            seen.add(oid)
            yield oid


def listed(
    repository: Repository, wanted: Sequence[str], known: Sequence[str] = ()
) -> Iterator[bytes | Gap]:
    """Ids of all commits that the wanted ones can reach, parents first.

    Those that the ``known`` ones can reach are left out. What is broken is a gap, the rest is
    listed.
    """
    feed = "\n".join((*wanted, *(f"^{oid}" for oid in known), "")).encode()
    if set(wanted) <= set(known):
        return
    git = start(repository, "rev-list", "--topo-order", "--reverse", "--stdin", feed=feed)
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        for line in git.stdout:
            yield line.rstrip()
    if git.returncode != 0:
        why = f"the history is broken: {said(complaint(repository, 'rev-list'))}"
        yield Gap(path="git history", why=why, incomplete=True)


def existing(repository: Repository, commits: Sequence[str]) -> Iterator[bytes]:
    """Those that are commits of this repository; all others may be pruned, or never were here."""
    if not commits:
        return
    feed = "\n".join((*commits, "")).encode()
    git = start(repository, "cat-file", "--batch-check=%(objecttype) %(objectname)", feed=feed)
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        for line in git.stdout:
            kind, _, oid = line.rstrip().partition(b" ")
            if kind == b"commit":
                yield oid


def _tips(repository: Repository) -> Iterator[bytes | Gap]:
    """The commits that refs point to; git itself would refuse all of them for one broken ref."""
    names = _names(repository)
    feed = b"".join(name + b"^{}\n" for name in names)
    git = start(repository, "cat-file", "--batch-check=%(objecttype) %(objectname)", feed=feed)
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        for name, line in zip(names, git.stdout, strict=False):
            kind, _, oid = line.rstrip().partition(b" ")
            if kind == b"commit":
                yield oid
            elif kind in {b"tree", b"blob"}:
                why = f"points to a {kind.decode()}, not to a commit; not read"
                yield Gap(path=display(name), why=why, incomplete=False)
            elif name != b"HEAD":  # an unborn branch is no damage
                yield Gap(path=display(name), why="broken ref", incomplete=True)


def _names(repository: Repository) -> list[bytes]:
    """HEAD and the names of all refs."""
    git = start(repository, "for-each-ref", "--format=%(refname)")
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        names = [line.rstrip(b"\n") for line in git.stdout]
    if git.returncode != 0:
        raise SourceError(
            f"the refs of {repository.layout.git_dir} cannot be read: "
            f"{said(complaint(repository, 'for-each-ref'))}",
            remedy="check it with `git fsck`, or scan the files alone with --no-history",
        )
    return [b"HEAD", *names]
