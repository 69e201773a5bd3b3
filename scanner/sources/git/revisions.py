"""Which commits a repository has: from every ref and HEAD, whatever state they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.query import commit_id
from stanch.scanner.sources.git.repository import Repository, complaint, said, start, why

_FORMAT = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
_BROKEN = b"warning: ignoring broken ref "
_RESTARTS = 1000  # each costs a start of git; more broken refs are no accident
_UNKNOWN = (b"", b"")  # what git could not say

_Ref = tuple[bytes, bytes, bytes]
"""The kind and id of what a ref points to in the end, and the ref's name."""


def tips(repository: Repository) -> Iterator[str | Gap]:
    """The commits that refs and HEAD point to, each once; broken refs are gaps."""
    seen: set[str] = set()
    for found in _refs(repository):
        if isinstance(found, Gap):
            yield found
            continue
        kind, oid, name = found
        if kind == b"commit":
            if (commit := oid.decode()) not in seen:
                seen.add(commit)
                yield commit
        elif kind in {b"tree", b"blob"}:
            what = f"points to a {kind.decode()}, not to a commit; not read"
            yield Gap(path=display(name), why=what, incomplete=False)
        else:
            yield _broken(name)


class Selection(Record):
    """A part of a history: commits since a day (by committer date), of these branches alone.

    What the ``known`` commits reach was read before; those that are gone by now count for nothing.
    """

    since: date | None = None
    branches: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        since = f"since {self.since}" if self.since else ""
        of = f"of {', '.join(self.branches)}" if self.branches else ""
        return " ".join(filter(None, (since, of)))


EVERYTHING = Selection()


def selected(repository: Repository, branches: Sequence[str]) -> Iterator[str]:
    """The newest commits of branches, local or remote. Raises UsageError for one that is none."""
    for name in branches:
        places = (f"refs/heads/{name}", f"refs/remotes/{name}", f"refs/remotes/origin/{name}")
        commit = next(filter(None, (commit_id(repository, each) for each in places)), None)
        if commit is None:
            raise UsageError(
                f"there is no branch {display(name.encode())}",
                remedy="`git branch --all` names them; fetch what is missing",
            )
        yield commit


def listed(
    repository: Repository,
    wanted: Sequence[str],
    known: Sequence[str] = (),
    since: date | None = None,
) -> Iterator[bytes | Gap]:
    """Ids of all commits that the wanted ones can reach, parents first.

    Those that the ``known`` ones can reach are left out. What is broken is a gap, the rest is
    listed.
    """
    feed = "\n".join((*wanted, *(f"^{oid}" for oid in known), "")).encode()
    if set(wanted) <= set(known):
        return
    only = (f"--since={since}T00:00:00Z",) if since else ()
    git = start(repository, "rev-list", "--topo-order", "--reverse", *only, "--stdin", feed=feed)
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        for line in git.stdout:
            yield line.rstrip()
    if git.failed:
        what = f"the history is broken: {why(repository, git, 'rev-list')}"
        yield Gap(path="git history", why=what, incomplete=True)


def reachable(repository: Repository, commits: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the ``wanted`` commits (tips of now) can reach all of the others."""
    if set(commits) <= set(wanted):
        return True
    feed = "\n".join((*commits, *(f"^{oid}" for oid in wanted), "")).encode()
    with start(repository, "rev-list", "--stdin", "--max-count=1", feed=feed) as git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        beyond = git.stdout.read()
    return not git.failed and not beyond  # of what is pruned git says that it is a bad object


def existing(repository: Repository, commits: Sequence[str]) -> Iterator[str]:
    """Those that are commits of this repository; all others may be pruned, or never were here."""
    for _, (kind, oid) in _asked(repository, [each.encode() for each in commits]):
        if kind == b"commit":
            yield oid.decode()


def _refs(repository: Repository) -> Iterator[_Ref | Gap]:
    """Every ref and HEAD. Git refuses all of them for one broken object: then each is asked for."""
    rows = _for_each_ref(repository, _FORMAT)
    yield from _ignored(repository)
    doubtful: dict[bytes, list[bytes]] = {}
    if rows is None:
        for oid, name in _for_each_ref(repository, "%(objectname) %(refname)", fields=1) or ():
            doubtful.setdefault(oid, []).append(name)
        if not doubtful:
            raise SourceError(
                f"the refs of {repository.layout.git_dir} cannot be read: "
                f"{said(complaint(repository, 'for-each-ref'))}",
                remedy="check it with `git fsck`, or scan the files alone with --no-history",
            )
    for kind, oid, peeled, peeled_oid, name in rows or ():
        if kind != b"tag":
            yield kind, oid, name
        elif peeled == b"tag":  # a tag of a tag: older gits look one step far
            doubtful.setdefault(peeled_oid, []).append(name)
        else:
            yield peeled, peeled_oid, name
    if (head := _detached(repository)) is not None:
        doubtful.setdefault(head, []).append(b"HEAD")
    for asked, answer in _asked(repository, tuple(doubtful)):
        yield from ((*answer, name) for name in doubtful[asked])


def _for_each_ref(repository: Repository, form: str, fields: int = 4) -> list[list[bytes]] | None:
    """The fields of each ref, whose name comes last; None when git has failed."""
    git = start(repository, "for-each-ref", f"--format={form}")
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        lines = git.stdout.read().splitlines()
    return None if git.failed else [line.split(b" ", fields) for line in lines]


def _ignored(repository: Repository) -> Iterator[Gap]:
    """The refs that git leaves out with a warning: no object's id is in them."""
    for line in complaint(repository, "for-each-ref").splitlines():
        if line.startswith(_BROKEN):
            yield _broken(line.removeprefix(_BROKEN))


def _asked(
    repository: Repository, oids: Sequence[bytes]
) -> Iterator[tuple[bytes, tuple[bytes, bytes]]]:
    """What each object is in the end, and its id; a damaged one ends git, which starts again."""
    done = 0
    for _ in range(_RESTARTS):
        if done == len(oids):
            return
        feed = b"".join(oid + b"^{}\n" for oid in oids[done:])
        command = ("cat-file", "--batch-check=%(objecttype) %(objectname)")
        with start(repository, *command, feed=feed) as git:
            assert git.stdout is not None  # noqa: S101  # a pipe was asked for
            for line in git.stdout:
                kind, _, oid = line.rstrip().partition(b" ")
                yield oids[done], (kind, oid)
                done += 1
        if git.failed and done < len(oids):
            yield oids[done], _UNKNOWN
            done += 1
    yield from ((oid, _UNKNOWN) for oid in oids[done:])


def _detached(repository: Repository) -> bytes | None:
    """The commit that HEAD names itself; None when it names a branch, which is a ref."""
    text = (repository.shadow / "HEAD").read_bytes().strip()
    return None if text.startswith(b"ref:") else text


def _broken(name: bytes) -> Gap:
    return Gap(path=display(name), why="broken ref", incomplete=True)
