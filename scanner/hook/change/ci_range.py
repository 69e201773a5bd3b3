"""Which commits a pipeline is about: the pull request's, the push's, or the branch's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.git.query import commit_id, lines, why
from stanch.scanner.sources.git.repository import Repository

_DEEPER = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab, "
    "`git fetch --unshallow` elsewhere"
)
_LARGEST = 32 << 20  # bytes of an event file
_USUAL = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class CiRange(Record):
    """What a pipeline says about its change. ``bases`` are tried in order; the first found counts.

    With ``exact`` the base is where the change begins; otherwise it is a branch that the change
    left somewhere, at its merge base. ``targets`` are names of the branch that the change goes
    into, tried in order as well: what is accepted there counts for it.
    """

    platform: str
    head: str
    bases: tuple[str, ...]
    exact: bool
    targets: tuple[str, ...]


class Range(Record):
    """The commits to check, oldest first, how to call them, and the newest of them.

    ``target`` is the newest commit of the branch that they go into, None when it was not fetched.
    """

    commits: tuple[str, ...]
    title: str
    head: str
    target: str | None


def proposed(environ: Mapping[str, str]) -> CiRange:
    """What GitHub Actions, GitLab CI or Jenkins say; else this branch against the default one."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    if environ.get("GITLAB_CI"):
        return _gitlab(environ)
    if environ.get("JENKINS_URL"):
        return _jenkins(environ)
    return CiRange(platform="git", head="HEAD", bases=_USUAL, exact=False, targets=_USUAL)


def commits_of(repository: Repository, ci_range: CiRange) -> Range:
    """The commits of a ci_range. A clone that lacks some is an error, never a clean bill."""
    head = commit_id(repository, ci_range.head)
    if head is None:
        raise SourceError(f"the commit {_short(ci_range.head)} was not fetched", remedy=_DEEPER)
    base = _base(repository, ci_range, head)
    feed = f"{head}\n" + (f"^{base}\n" if base else "")
    found = lines(
        repository, "rev-list", "--reverse", "--topo-order", "--stdin", feed=feed.encode()
    )
    if found is None:
        raise SourceError(
            f"the commits cannot be listed: {why(repository, 'rev-list')}", remedy=_DEEPER
        )
    cut = _cut(repository).intersection(found)
    if cut:
        raise SourceError(
            f"shallow clone: what is before {_short(min(cut))} was not fetched, and is part of "
            "the change",
            remedy=_DEEPER,
        )
    target = next(filter(None, (commit_id(repository, name) for name in ci_range.targets)), None)
    if not found:  # on the default branch itself: what was merged last
        title = f"the newest commit, {_short(head)} ({ci_range.platform})"
        return Range(commits=(head,), title=title, head=head, target=target)
    since = f" since {_short(base)}" if base else ""
    noun = "commit" if len(found) == 1 else "commits"
    title = f"{len(found)} {noun} up to {_short(head)}{since} ({ci_range.platform})"
    return Range(commits=tuple(found), title=title, head=head, target=target)


def _base(repository: Repository, ci_range: CiRange, head: str) -> str | None:
    """Where the change begins; None when it has no ancestor in common with what is there."""
    for number, name in enumerate(ci_range.bases):
        base = commit_id(repository, name)
        if base is None:
            if number == 0 and ci_range.exact:
                raise SourceError(f"the base commit {_short(name)} was not fetched", remedy=_DEEPER)
            continue
        if ci_range.exact and number == 0:
            return base
        # Both are ids by now, so neither can be taken for an option.
        common = lines(repository, "merge-base", base, head)
        if common:
            return common[0]
        if repository.shallow:
            raise SourceError("shallow clone: the merge base was not fetched", remedy=_DEEPER)
        return None
    raise UsageError(
        "no default branch was found to compare with",
        remedy="name the branch that the change goes into: --base origin/BRANCH; in a pipeline "
        "fetch it first",
    )


def _github(environ: Mapping[str, str]) -> CiRange:
    event = _event(environ)
    head = environ.get("GITHUB_SHA", "HEAD")
    pull, group = event.get("pull_request"), event.get("merge_group")
    if isinstance(pull, dict):
        return _exact("GitHub pull request", _sha(pull, "base"), _sha(pull, "head"), _branch(pull))
    if isinstance(group, dict):
        return _exact("GitHub merge queue", str(group["base_sha"]), str(group["head_sha"]), "")
    repository = event.get("repository")
    default = str(repository.get("default_branch", "")) if isinstance(repository, dict) else ""
    targets = bases = (*((f"origin/{default}",) if default else ()), *_USUAL)
    before = str(event.get("before") or "").strip("0")
    if before:
        # After a force push the commit before is not in the clone: then the default branch counts.
        bases = (str(event["before"]), *bases)
    return CiRange(platform="GitHub push", head=head, bases=bases, exact=False, targets=targets)


def _gitlab(environ: Mapping[str, str]) -> CiRange:
    head = environ.get("CI_COMMIT_SHA", "HEAD")
    if base := environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        # Of a merged results pipeline the commit is a merge that nobody wrote.
        head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or head
        into = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
        return _exact("GitLab merge request", base, head, into)
    default = environ.get("CI_DEFAULT_BRANCH", "")
    targets = bases = (*((f"origin/{default}",) if default else ()), *_USUAL)
    before = environ.get("CI_COMMIT_BEFORE_SHA", "")
    if before.strip("0"):
        bases = (before, *bases)
    return CiRange(platform="GitLab push", head=head, bases=bases, exact=False, targets=targets)


def _jenkins(environ: Mapping[str, str]) -> CiRange:
    head = environ.get("GIT_COMMIT", "HEAD")
    if target := environ.get("CHANGE_TARGET"):
        bases: tuple[str, ...] = (f"origin/{target}", target)
        return CiRange(
            platform="Jenkins change", head=head, bases=bases, exact=False, targets=bases
        )
    before = environ.get("GIT_PREVIOUS_SUCCESSFUL_COMMIT") or environ.get("GIT_PREVIOUS_COMMIT")
    bases = ((before,) if before else ()) + _USUAL
    return CiRange(platform="Jenkins", head=head, bases=bases, exact=False, targets=_USUAL)


def _exact(platform: str, base: str, head: str, branch: str) -> CiRange:
    # The branch may have gone on since: what it has accepted meanwhile counts as well.
    targets = (f"origin/{branch}", base) if branch else (base,)
    return CiRange(platform=platform, head=head, bases=(base,), exact=True, targets=targets)


def _event(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            read = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the event at GITHUB_EVENT_PATH cannot be read: {type(error).__name__}",
            remedy="name the range: --base and --head",
        ) from error
    return read if isinstance(read, dict) else {}


def _sha(pull: dict[str, Any], side: str) -> str:
    found = pull.get(side)
    sha = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(sha, str):
        raise UsageError(
            f"the event of the pull request does not name its {side}",
            remedy="name the range: --base and --head",
        )
    return sha


def _branch(pull: dict[str, Any]) -> str:
    """The name of the branch that a pull request goes into, empty when it is not told."""
    base = pull.get("base")
    name = base.get("ref") if isinstance(base, dict) else None
    return name if isinstance(name, str) else ""


def _cut(repository: Repository) -> frozenset[str]:
    """The commits whose parents were not fetched."""
    try:
        text = (repository.layout.common_dir / "shallow").read_text("ascii", "replace")
    except OSError:
        return frozenset()
    return frozenset(text.split())


def _short(name: str) -> str:
    plain = "".join(c if c.isprintable() else "?" for c in name)
    return plain[:12] if len(plain) in {40, 64} else plain[:80]
