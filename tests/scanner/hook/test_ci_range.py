"""Which commits each pipeline is about: what was not read is never called clean."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.hook.change.ci_pipeline import proposed
from stanch.scanner.hook.change.ci_range import Range, commits_of
from stanch.scanner.model.error import SourceError
from stanch.scanner.sources.git.discovery import at
from stanch.scanner.sources.git.repository import opened

ZEROS, GONE = "0" * 40, "1" * 40
Judge = Callable[..., Range]


@pytest.fixture
def main(repo: Any) -> list[str]:
    """Four commits on main, and two on topic behind the second."""
    made = [repo.commit("a.txt", str(number)) for number in range(4)]
    repo.git("checkout", "-qb", "topic", made[1])
    for number in range(2):
        repo.commit("b.txt", str(number))
    repo.git("checkout", "-q", "main")
    return made


def _range(path: Path, environ: Mapping[str, str]) -> Range:
    layout = at(path)
    assert layout is not None
    with opened(layout) as repository:
        return commits_of(repository, proposed(environ))


@pytest.fixture
def github(tmp_path: Path) -> Callable[..., dict[str, str]]:
    def environ(
        head: str, *, ref: str = "main", name: str = "push", **event: Any
    ) -> dict[str, str]:
        path = tmp_path / "event.json"
        path.write_text(json.dumps({"repository": {"default_branch": "main"}} | event))
        return {
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": head,
            "GITHUB_REF": f"refs/heads/{ref}", "GITHUB_EVENT_NAME": name,
        }  # fmt: skip

    return environ


def _gitlab(head: str, before: str, branch: str = "main") -> dict[str, str]:
    return {
        "GITLAB_CI": "true", "CI_COMMIT_SHA": head, "CI_COMMIT_BEFORE_SHA": before,
        "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": branch, "CI_PIPELINE_SOURCE": "push",
    }  # fmt: skip


def test_a_push_is_what_is_between(repo: Any, main: list[str], github: Any) -> None:
    for environ in (github(main[3], before=main[0]), _gitlab(main[3], main[0])):
        assert _range(repo.path, environ).commits == tuple(main[1:])


def test_a_first_push_is_all_of_it(repo: Any, main: list[str], github: Any) -> None:
    for environ in (github(main[3], before=ZEROS), _gitlab(main[3], ZEROS)):
        assert _range(repo.path, environ).commits == tuple(main)
    tip = repo.git("rev-parse", "topic")
    for environ in (github(tip, ref="topic", before=ZEROS), _gitlab(tip, ZEROS, "topic")):
        assert len(_range(repo.path, environ).commits) == 2
    for environ in (github(main[3], ref="new", before=ZEROS), _gitlab(main[3], ZEROS, "new")):
        assert _range(repo.path, environ).commits == ()


def test_a_forced_push_whose_old_commit_is_gone_is_read_from_what_is_there(
    repo: Any, main: list[str], github: Any
) -> None:
    assert _range(repo.path, github(main[3], before=GONE)).commits == tuple(main)
    tip = repo.git("rev-parse", "topic")
    assert len(_range(repo.path, github(tip, ref="topic", before=GONE)).commits) == 2


def test_a_deletion_brings_nothing_and_says_so(repo: Any, main: list[str], github: Any) -> None:
    found = _range(repo.path, github(main[3], before=main[3], after=ZEROS, deleted=True))
    assert found.commits == ()
    assert found.title == "nothing: the branch or tag was deleted (GitHub deletion)"


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "release"])
def test_an_event_without_a_range_is_named(
    repo: Any, main: list[str], github: Any, name: str
) -> None:
    found = _range(repo.path, github(main[3], name=name))
    assert found.commits == (main[3],)
    assert found.title == f"only what the newest commit brings, {main[3][:12]} (GitHub {name})"


def test_what_the_newest_merge_brings_is_read(repo: Any, main: list[str]) -> None:
    assert main
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert len(_range(repo.path, {}).commits) == 3


def test_a_merge_group_is_exact(repo: Any, main: list[str], github: Any) -> None:
    group = {"base_sha": main[1], "head_sha": main[3], "base_ref": "refs/heads/main"}
    found = _range(repo.path, github(main[3], name="merge_group", merge_group=group))
    assert found.commits == tuple(main[2:])


@pytest.mark.parametrize(
    ("environ", "head"),
    [
        ({"JENKINS_URL": "x", "CHANGE_TARGET": "main"}, "GIT_COMMIT"),
        ({"TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"},
         "SYSTEM_PULLREQUEST_SOURCECOMMITID"),
        ({"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_PR_DESTINATION_BRANCH": "main"},
         "BITBUCKET_COMMIT"),
        ({"CIRCLECI": "true"}, "CIRCLE_SHA1"),
        ({"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"}, "BUILDKITE_COMMIT"),
        ({"GITLAB_CI": "true", "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME": "main"},
         "CI_COMMIT_SHA"),
    ],
)  # fmt: skip
def test_every_pipeline_says_where_its_change_goes(
    repo: Any, main: list[str], environ: dict[str, str], head: str
) -> None:
    assert main
    tip = repo.git("rev-parse", "topic")
    found = _range(repo.path, environ | {head: tip})
    assert len(found.commits) == 2
    assert found.target == main[3]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallow_clone_is_never_clean(
    repo: Any, main: list[str], github: Any, tmp_path: Path, depth: int
) -> None:
    clone = type(repo)(path=tmp_path / f"clone{depth}")
    repo.git("clone", "-q", f"--depth={depth}", f"file://{repo.path}", str(clone.path))
    pushes = {
        "fetch-depth: 0": [github(main[3], before=main[0]), github(main[3], before=ZEROS)],
        "GIT_DEPTH: 0": [_gitlab(main[3], main[0]), _gitlab(main[3], ZEROS)],
        "fetchDepth: 0": [{"TF_BUILD": "True", "BUILD_SOURCEVERSION": main[3]}],
        "depth: full": [{"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_COMMIT": main[3]}],
        "method: full": [{"CIRCLECI": "true", "CIRCLE_SHA1": main[3]}],
        "git fetch --unshallow": [{}],
    }
    for remedy, environments in pushes.items():
        for environ in environments:
            if depth == 2 and "before" not in str(environ) and "BEFORE" not in str(environ):
                continue  # what the newest commit brings is there
            if depth == 2 and "EVENT_PATH" in str(environ):
                environ = github(main[3], before=main[0])  # noqa: PLW2901  # the file is written anew
            with pytest.raises(SourceError) as caught:
                _range(clone.path, environ)
            assert remedy in caught.value.remedy


def test_the_framework_s_first_push_is_read(ann: Any, place: Path, token: Any) -> None:
    (place / "a.env").write_text(f"k={token(1)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-qm", "leak", cwd=place)
    environ = {
        "PRE_COMMIT": "1", "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main", "PRE_COMMIT_REMOTE_NAME": "origin",
    }  # fmt: skip
    done: subprocess.CompletedProcess[str] = ann.stanch("hook", "pre-push", cwd=place, **environ)
    assert done.returncode == 1
    assert "a.env" in done.stderr
    done = ann.stanch("hook", "pre-push", cwd=place, PRE_COMMIT="1")
    assert done.returncode == 3
