"""What each pipeline says about its change, in its own variables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.scan.trust import DEFAULT_BRANCHES

_LARGEST = 32 << 20  # bytes of an event file
_HEADS = "refs/heads/"
_UNSHALLOW = "fetch the whole history: `git fetch --unshallow`"


class CiRange(Record):
    """What a pipeline says about its change. ``bases`` are tried in order; the first found counts.

    With ``exact`` the base is where the change begins; otherwise it is a branch that the change
    left somewhere, at its merge base. ``targets`` are names of the branch that the change goes
    into, tried in order as well: what is accepted there counts for it.

    Of a push ``before`` is where its branch was; ``first`` says that it is new, ``on_default`` that
    it is the default branch (None: nobody says), which has nothing to be compared with. ``nothing``
    says why there is nothing to judge, ``deeper`` how this pipeline fetches a whole history.
    ``named`` are the options that say what it is, with their values.
    """

    platform: str
    head: str
    bases: tuple[str, ...]
    exact: bool
    targets: tuple[str, ...]
    before: str | None = None
    first: bool = False
    on_default: bool | None = None
    nothing: str | None = None
    named: tuple[tuple[str, str], ...] = ()
    deeper: str = _UNSHALLOW


def proposed(environ: Mapping[str, str]) -> CiRange:
    """What the pipeline says that this runs in; else this branch against the default one."""
    for sign, read in _PIPELINES:
        if environ.get(sign):
            return read(environ)
    return _compared("git", "HEAD")


def _github(environ: Mapping[str, str]) -> CiRange:
    event = _event(environ)
    name = environ.get("GITHUB_EVENT_NAME") or "push"
    head = environ.get("GITHUB_SHA", "HEAD")
    deeper = "fetch the whole history: `fetch-depth: 0` under `with:` of actions/checkout"
    pull, group = event.get("pull_request"), event.get("merge_group")
    if isinstance(pull, dict):
        base, tip = _sha(pull, "base"), _sha(pull, "head")
        return _exact("GitHub pull request", base, tip, _branch(pull), deeper)
    if isinstance(group, dict):
        base, tip = _text(group, "base_sha"), _text(group, "head_sha")
        into = _text(group, "base_ref").removeprefix(_HEADS)
        return _exact("GitHub merge queue", base, tip, into, deeper)
    told = event.get("repository")
    default = _text(told, "default_branch") if isinstance(told, dict) else ""
    if name == "delete" or event.get("deleted") is True:
        return _compared("GitHub deletion", head, nothing="the branch or tag was deleted")
    before = event.get("before")
    return _compared(
        f"GitHub {name}",
        head,
        default=default,
        before=before if isinstance(before, str) else None,
        on_default=environ.get("GITHUB_REF") == f"{_HEADS}{default}" if default else None,
        deeper=deeper,
    )


def _gitlab(environ: Mapping[str, str]) -> CiRange:
    head = environ.get("CI_COMMIT_SHA", "HEAD")
    deeper = "fetch the whole history: `GIT_DEPTH: 0` under `variables:` of the job"
    if base := environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        # Of a merged results pipeline the commit is a merge that nobody wrote.
        head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or head
        into = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
        return _exact("GitLab merge request", base, head, into, deeper)
    if target := environ.get("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"):
        return _into("GitLab external pull request", head, target, deeper)
    source = environ.get("CI_PIPELINE_SOURCE") or "push"
    default = environ.get("CI_DEFAULT_BRANCH", "")
    return _compared(
        f"GitLab {source}",
        head,
        default=default,
        # Pipelines that no push has started have zeros there, too.
        before=environ.get("CI_COMMIT_BEFORE_SHA") if source == "push" else None,
        on_default=environ.get("CI_COMMIT_BRANCH") == default if default else None,
        deeper=deeper,
    )


def _jenkins(environ: Mapping[str, str]) -> CiRange:
    head = environ.get("GIT_COMMIT", "HEAD")
    deeper = "fetch the whole history: no shallow clone in the job's checkout behaviours"
    if target := environ.get("CHANGE_TARGET"):
        return _into("Jenkins change", head, target, deeper)
    before = environ.get("GIT_PREVIOUS_SUCCESSFUL_COMMIT") or environ.get("GIT_PREVIOUS_COMMIT")
    return _compared("Jenkins", head, before=before, deeper=deeper)


def _azure(environ: Mapping[str, str]) -> CiRange:
    deeper = "fetch the whole history: `fetchDepth: 0` in the step `checkout: self`"
    head = environ.get("BUILD_SOURCEVERSION", "HEAD")
    if target := environ.get("SYSTEM_PULLREQUEST_TARGETBRANCH"):
        # The commit that is built is a merge that nobody wrote.
        head = environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or head
        return _into("Azure pull request", head, target.removeprefix(_HEADS), deeper)
    return _compared(f"Azure {environ.get('BUILD_REASON', 'build')}", head, deeper=deeper)


def _bitbucket(environ: Mapping[str, str]) -> CiRange:
    deeper = "fetch the whole history: `clone: {depth: full}` in bitbucket-pipelines.yml"
    head = environ.get("BITBUCKET_COMMIT", "HEAD")
    if target := environ.get("BITBUCKET_PR_DESTINATION_BRANCH"):
        return _into("Bitbucket pull request", head, target, deeper)
    return _compared("Bitbucket", head, deeper=deeper)


def _circle(environ: Mapping[str, str]) -> CiRange:
    deeper = "fetch the whole history: `method: full` in the step `checkout`"
    return _compared("CircleCI", environ.get("CIRCLE_SHA1", "HEAD"), deeper=deeper)


def _buildkite(environ: Mapping[str, str]) -> CiRange:
    head = environ.get("BUILDKITE_COMMIT", "HEAD")
    deeper = "fetch the whole history: no --depth in BUILDKITE_GIT_CLONE_FLAGS"
    if target := environ.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH"):
        return _into("Buildkite pull request", head, target, deeper)
    default = environ.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "")
    return _compared("Buildkite", head, default=default, deeper=deeper)


_PIPELINES: tuple[tuple[str, Callable[[Mapping[str, str]], CiRange]], ...] = (
    ("GITHUB_ACTIONS", _github),
    ("GITLAB_CI", _gitlab),
    ("JENKINS_URL", _jenkins),
    ("TF_BUILD", _azure),
    ("BITBUCKET_BUILD_NUMBER", _bitbucket),
    ("CIRCLECI", _circle),
    ("BUILDKITE", _buildkite),
)


def _exact(platform: str, base: str, head: str, branch: str, deeper: str) -> CiRange:
    # The branch may have gone on since: what it has accepted meanwhile counts as well.
    targets = (f"origin/{branch}", base) if branch else (base,)
    return CiRange(
        platform=platform, head=head, bases=(base,), exact=True, targets=targets, deeper=deeper
    )


def _into(platform: str, head: str, branch: str, deeper: str) -> CiRange:
    bases = (f"origin/{branch}", branch)
    return CiRange(
        platform=platform, head=head, bases=bases, exact=False, targets=bases, deeper=deeper
    )


def _compared(  # noqa: PLR0913  # what a pipeline without a pull request may say
    platform: str,
    head: str,
    *,
    default: str = "",
    before: str | None = None,
    on_default: bool | None = None,
    nothing: str | None = None,
    deeper: str = _UNSHALLOW,
) -> CiRange:
    bases = (*((f"origin/{default}",) if default else ()), *DEFAULT_BRANCHES)
    return CiRange(
        platform=platform,
        head=head,
        bases=bases,
        exact=False,
        targets=bases,
        before=before if before and before.strip("0") else None,
        first=bool(before) and not (before or "").strip("0"),
        on_default=on_default,
        nothing=nothing,
        deeper=deeper,
    )


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


def _text(table: dict[str, Any], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""
