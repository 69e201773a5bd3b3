from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]


@pytest.fixture
def change(ann: Any, place: Path, token: Token) -> Path:
    """A branch with a leak that its next commit removes, on a main that goes on meanwhile."""
    (place / "old.env").write_text(f"T={token(30)}\n")
    _commit(ann, place, "an old leak")
    ann.git("checkout", "-q", "-b", "topic", cwd=place)
    (place / "new.env").write_text(f"\nT={token(31)}\n")
    _commit(ann, place, "leak")
    (place / "new.env").unlink()
    (place / "fine.py").write_text("x = 1\n")
    _commit(ann, place, "remove it")
    ann.git("checkout", "-q", "main", cwd=place)
    (place / "later.env").write_text(f"T={token(32)}\n")
    _commit(ann, place, "main goes on")
    ann.git("checkout", "-q", "topic", cwd=place)
    return place


def _commit(ann: Any, place: Path, message: str) -> None:
    ann.git("add", "-A", ".", cwd=place)
    assert ann.git("commit", "-q", "-m", message, cwd=place).returncode == 0


def _id(ann: Any, place: Path, name: str) -> str:
    return str(ann.git("rev-parse", name, cwd=place).stdout.strip())


def _found(done: Any) -> list[str]:
    return [json.loads(line)["path"] for line in done.stdout.splitlines() if line[:1] == "{"]


def test_a_branch_is_compared_with_the_default_branch_by_itself(
    ann: Any, change: Path, token: Token
) -> None:
    done = ann.stanch("ci", "--report", "jsonl=-", cwd=change)
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["path"], row["line"]) for row in rows] == [("new.env", 2)]
    assert rows[0]["commit"] == _id(ann, change, "topic~1")
    assert "merge blocked: 1 credential in 1 place" in done.stderr
    assert "checked 2 commits up to " in done.stderr
    for number in (30, 31, 32):
        assert token(number) not in done.stdout + done.stderr


def test_on_the_default_branch_its_newest_commit_is_checked(ann: Any, change: Path) -> None:
    ann.git("checkout", "-q", "main", cwd=change)
    done = ann.stanch("ci", "--report", "jsonl=-", cwd=change)
    assert (done.returncode, _found(done)) == (1, ["later.env"])


def _github(ann: Any, change: Path, event: dict[str, Any]) -> dict[str, str]:
    path = ann.home / "event.json"
    path.write_text(json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_SHA": _id(ann, change, "topic"),
        "GITHUB_STEP_SUMMARY": str(ann.home / "summary.md"),
    }


def test_a_pull_request_of_github_is_annotated_and_summarised(ann: Any, change: Path) -> None:
    # What GitHub checks out is a merge commit that nobody wrote.
    pull = {"base": {"sha": _id(ann, change, "main")}, "head": {"sha": _id(ann, change, "topic")}}
    ann.git("merge", "-q", "-m", "merge", "main", cwd=change)
    environ = _github(ann, change, {"pull_request": pull})
    done = ann.stanch("ci", cwd=change, **environ)
    assert done.returncode == 1
    assert "::error file=new.env,line=2,endLine=2,col=3,endColumn=43,title=" in done.stdout
    assert "later.env" not in done.stdout
    assert "Stanch: 1 credential found" in (ann.home / "summary.md").read_text()
    assert "GitHub pull request" in done.stderr


def test_a_push_to_github_is_checked_from_the_commit_before(ann: Any, change: Path) -> None:
    before = _id(ann, change, "topic~1")
    environ = _github(ann, change, {"before": before, "repository": {"default_branch": "main"}})
    assert ann.stanch("ci", cwd=change, **environ).returncode == 0
    # A new branch has no commit before, and after a force push that commit is gone.
    for unknown in ("0" * 40, "1" * 40):
        environ = _github(ann, change, {"before": unknown})
        done = ann.stanch("ci", cwd=change, **environ)
        assert done.returncode == 1
        assert "new.env" in done.stdout


def test_a_merge_group_and_merge_requests_are_checked_from_their_base(
    ann: Any, change: Path
) -> None:
    base, head = _id(ann, change, "main~1"), _id(ann, change, "topic")
    group = {"merge_group": {"base_sha": base, "head_sha": head}}
    gitlab = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_COMMIT_SHA": head,
    }
    jenkins = {"JENKINS_URL": "http://ci", "CHANGE_TARGET": "main", "GIT_COMMIT": head}
    for environ in (_github(ann, change, group), gitlab, jenkins):
        done = ann.stanch("ci", "--report", "jsonl=-", cwd=change, **environ)
        assert (done.returncode, _found(done)) == (1, ["new.env"]), done.stderr


def test_pushes_in_gitlab_and_jenkins_are_checked_from_the_commit_before(
    ann: Any, change: Path
) -> None:
    before, head = _id(ann, change, "topic~1"), _id(ann, change, "topic")
    gitlab = {"GITLAB_CI": "true", "CI_COMMIT_BEFORE_SHA": before, "CI_COMMIT_SHA": head}
    jenkins = {"JENKINS_URL": "http://ci", "GIT_PREVIOUS_COMMIT": before, "GIT_COMMIT": head}
    for environ in (gitlab, jenkins):
        done = ann.stanch("ci", cwd=change, **environ)
        assert done.returncode == 0, done.stderr
        assert "checked 1 commit up to " in done.stderr


def test_a_shallow_clone_that_lacks_a_part_of_the_range_is_never_clean(
    ann: Any, change: Path, tmp_path: Path
) -> None:
    pull = {"base": {"sha": _id(ann, change, "main")}, "head": {"sha": _id(ann, change, "topic")}}
    environ = _github(ann, change, {"pull_request": pull})
    for number, arguments in enumerate(
        (["--depth=1", "--single-branch"], ["--depth=1", "--no-single-branch"])
    ):
        clone = tmp_path / f"clone-{number}"
        ann.git("clone", "-q", *arguments, "-b", "topic", f"file://{change}", clone, cwd=tmp_path)
        done = ann.stanch("ci", cwd=clone, **environ)
        assert done.returncode == 3
        assert "fetch-depth: 0" in done.stderr


def test_without_a_default_branch_the_remedy_names_the_option(ann: Any, change: Path) -> None:
    ann.git("branch", "-m", "main", "trunk", cwd=change)
    done = ann.stanch("ci", cwd=change)
    assert done.returncode == 2
    assert "--base" in done.stderr
    done = ann.stanch("ci", "--base", "trunk", cwd=change)
    assert done.returncode == 1
    assert ann.stanch("ci", "--base", "--help", cwd=change).returncode == 2


def test_several_reports_are_written_at_once(ann: Any, change: Path, tmp_path: Path) -> None:
    forms = ("sarif", "gitlab", "junit", "jsonl", "annotations", "summary")
    asked = [word for form in forms for word in ("--report", f"{form}={tmp_path / form}")]
    assert ann.stanch("ci", *asked, cwd=change).returncode == 1
    for form in forms:
        assert "new" in (tmp_path / form).read_text()
    done = ann.stanch("ci", "--report", f"pdf={tmp_path / 'x'}", cwd=change)
    assert done.returncode == 2
    done = ann.stanch("ci", "--report", f"sarif={tmp_path / 'no' / 'x'}", cwd=change)
    assert done.returncode == 2


def test_an_entry_of_the_baseline_waives_and_with_a_waiver_key_only_when_it_is_signed(
    ann: Any, change: Path
) -> None:
    ann.git("checkout", "-q", "topic~1", "--", "new.env", cwd=change)
    key = ann.home / "waiver.key"
    made = ann.stanch("baseline", "key", f"file:{key}", cwd=change)
    assert made.returncode == 0, made.stderr
    public = made.stdout.split()[-1]
    create = ("baseline", "create", "--reason", "known", "--expires", "90d", "--author", "ann")
    assert ann.stanch(*create, cwd=change).returncode == 0
    _commit(ann, change, "waive")
    done = ann.stanch("ci", "--waivers", "head", cwd=change)
    assert done.returncode == 0, done.stderr
    assert "let through" in done.stderr
    done = ann.stanch("ci", "--waivers", "head", "--waiver-key", public, cwd=change)
    assert done.returncode == 1
    assert "not signed by somebody with the right" in done.stderr
    assert ann.stanch("ci", cwd=change, STANCH_WAIVER_KEY=public).returncode == 1
    (change / ".stanch-baseline").unlink()
    assert ann.stanch(*create, "--sign", f"file:{key}", cwd=change).returncode == 0
    done = ann.stanch("ci", "--waiver-key", public, cwd=change)
    assert done.returncode == 0, done.stderr
