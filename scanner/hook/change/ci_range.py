"""Which commits a pipeline is about: the pull request's, the push's, or the branch's."""

from __future__ import annotations

from stanch.scanner.hook.change.ci_pipeline import CiRange
from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.git.query import commit_id, first_commit, lines, why
from stanch.scanner.sources.git.repository import Repository


class Range(Record):
    """The commits to check, oldest first, how to call them, and the newest of them.

    ``target`` is the newest commit of the branch that they go into, None when it was not fetched.
    """

    commits: tuple[str, ...]
    title: str
    head: str
    target: str | None


def commits_of(repository: Repository, ci_range: CiRange) -> Range:
    """The commits of a ci_range. A clone that lacks some is an error, never a clean bill."""
    _refuse_unknown(repository, ci_range)
    target = first_commit(repository, ci_range.targets)
    if ci_range.nothing is not None:
        title = f"nothing: {ci_range.nothing} ({ci_range.platform})"
        return Range(commits=(), title=title, head="", target=target)
    head = commit_id(repository, ci_range.head)
    if head is None:
        raise _unfetched(ci_range, f"the commit {short(ci_range.head)} was not fetched")
    begin = _begin(repository, ci_range, head)
    found = _listed(repository, ci_range, head, begin.commit)
    since = f" since {short(begin.commit)}" if begin.commit else ""
    noun = "commit" if len(found) == 1 else "commits"
    title = f"{len(found)} {noun} up to {short(head)}{since} ({ci_range.platform})"
    if begin.newest:
        title = f"only what the newest commit brings, {short(head)} ({ci_range.platform})"
    return Range(commits=tuple(found), title=title, head=head, target=target)


def _refuse_unknown(repository: Repository, ci_range: CiRange) -> None:
    """What an option names has to exist; a shallow clone may lack it."""
    for option, name in ci_range.named:
        if commit_id(repository, name) is None:
            what = f"{option} {short(name)}: there is no such commit here"
            if repository.shallow:
                raise _unfetched(ci_range, what)
            raise UsageError(
                what, remedy="fetch it (git fetch origin), or see what there is: git branch --all"
            )


class _Begin(Record):
    """Behind which commit a change begins, None at the very beginning of the history.

    ``newest``: nobody says what it is, so that it is the newest commit alone.
    """

    commit: str | None
    newest: bool = False


def _begin(repository: Repository, ci_range: CiRange, head: str) -> _Begin:
    if ci_range.before is not None:
        before = commit_id(repository, ci_range.before)
        if before is not None:
            return _Begin(commit=before)
        if repository.shallow:
            gone = f"the commit before the push, {short(ci_range.before)}, was not fetched"
            raise _unfetched(ci_range, gone)
        # It was replaced by a forced push: what else is there is compared with, or all is read.
    known = _known(repository, ci_range)
    if ci_range.exact:
        return _Begin(commit=known)
    pushed = ci_range.first or ci_range.before is not None
    if known is None or (pushed and ci_range.on_default):
        return _Begin(commit=None)
    # Both are ids by now, so neither can be taken for an option.
    common = lines(repository, "merge-base", known, head)
    if not common and repository.shallow:
        raise _unfetched(ci_range, "shallow clone: the merge base was not fetched")
    begin = common[0] if common else None
    if begin != head:
        return _Begin(commit=begin)
    return _within(repository, ci_range, head, known=known, pushed=pushed)


def _within(
    repository: Repository, ci_range: CiRange, head: str, *, known: str, pushed: bool
) -> _Begin:
    """Of what the default branch holds already: it may be that branch itself."""
    if not pushed:
        return _Begin(commit=commit_id(repository, f"{head}^1"), newest=True)
    elsewhere = ci_range.on_default is False or known != head
    return _Begin(commit=head if elsewhere else None)


def _known(repository: Repository, ci_range: CiRange) -> str | None:
    """The commit that the change is compared with; None when a push may go without."""
    known = first_commit(repository, ci_range.bases)
    if known is not None or ci_range.first or ci_range.before is not None:
        return known
    if ci_range.exact:
        gone = f"the base commit {short(ci_range.bases[0])} was not fetched"
        raise _unfetched(ci_range, gone)
    raise UsageError(
        "no default branch was found to compare with",
        remedy="name the branch that the change goes into: --base origin/BRANCH; in a pipeline "
        "fetch it first",
    )


def _listed(repository: Repository, ci_range: CiRange, head: str, begin: str | None) -> list[str]:
    feed = f"{head}\n" + (f"^{begin}\n" if begin else "")
    found = lines(
        repository, "rev-list", "--reverse", "--topo-order", "--stdin", feed=feed.encode()
    )
    if found is None:
        raise _unfetched(ci_range, f"the commits cannot be listed: {why(repository, 'rev-list')}")
    cut = _cut(repository).intersection(found)
    if cut:
        gone = f"shallow clone: what is before {short(min(cut))} was not fetched"
        raise _unfetched(ci_range, f"{gone}, and is part of the change")
    return found


def _unfetched(ci_range: CiRange, what: str) -> SourceError:
    return SourceError(what, remedy=ci_range.deeper)


def _cut(repository: Repository) -> frozenset[str]:
    """The commits whose parents were not fetched."""
    try:
        text = (repository.layout.common_dir / "shallow").read_text("ascii", "replace")
    except OSError:
        return frozenset()
    return frozenset(text.split())


def short(name: str) -> str:
    """An id as people read it, or a name."""
    plain = "".join(c if c.isprintable() else "?" for c in name)
    return plain[:12] if len(plain) in {40, 64} else plain[:80]
