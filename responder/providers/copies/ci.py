"""Keepers of CI logs with an interface of HTTP, each as its documentation says.

https://docs.github.com/en/rest/actions/workflow-runs, https://docs.gitlab.com/api/jobs/,
https://buildkite.com/docs/apis/rest-api/jobs, and Jenkins' ``doDelete``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from stanch.responder.providers.copies.keeper import HttpKeeper, Sight, There, is_there, lost, row

_GONE = (404, 410)
_FOUND = 302
_PUBLIC = "https://github.com"


class GithubRun(HttpKeeper):
    """All logs of a run: GitHub deletes no less."""

    loses: ClassVar[str] = (
        "the logs of all jobs, steps and attempts of the run go; the run, its artifacts and its "
        "annotations stay"
    )

    def _call(self, names: list[str]) -> str:
        """The request."""
        org, repo, _, run = names
        return f"github:DELETE /repos/{org}/{repo}/actions/runs/{run}/logs"

    def _look(self, asked: Any) -> Sight:
        """Every attempt has logs of its own."""
        run = row(asked, _run(asked))
        if run is None:
            return lost(asked, "GitHub has no such run", _repository(asked))
        if run.get("status") != "completed":
            return Sight(there=There.GROWS, how=f"the run is {run.get('status')}")
        attempts = run.get("run_attempt")
        for attempt in range(1, (attempts if isinstance(attempts, int) else 1) + 1):
            if is_there(asked, f"{_run(asked)}/attempts/{attempt}/logs"):
                return Sight(there=There.YES, how=f"GitHub gives out attempt {attempt}")
        return Sight(there=There.NO, how="GitHub gives out the logs of no attempt (404 or 410)")

    def _delete(self, asked: Any) -> int:
        """204, or what refuses it."""
        return int(asked.client.ask("DELETE", f"{_run(asked)}/logs", accepted=_GONE).status)


def _repository(asked: Any) -> str:
    api = "https://api.github.com" if asked.base == _PUBLIC else f"{asked.base}/api/v3"
    return f"{api}/repos/{asked.path(*asked.names[:2])}"


def _run(asked: Any) -> str:
    *_, run = asked.names
    return f"{_repository(asked)}/actions/runs/{asked.path(run)}"


class GitlabJob(HttpKeeper):
    """A job: GitLab erases its log and what it has built."""

    loses: ClassVar[str] = (
        "the job's artifacts and reports go with its log; the job stays, marked as erased"
    )

    def _call(self, names: list[str]) -> str:
        """The request."""
        return f"gitlab:POST /projects/{'/'.join(names[:-2])}/jobs/{names[-1]}/erase"

    def _look(self, asked: Any) -> Sight:
        """The mark alone is no evidence: the log has to be empty too."""
        job = row(asked, _job(asked))
        if job is None:
            return lost(asked, "GitLab has no such job", _project(asked))
        if not job.get("finished_at") and not job.get("erased_at"):
            return Sight(there=There.GROWS, how=f"the job is {job.get('status')}")
        if is_there(asked, f"{_job(asked)}/trace"):
            return Sight(there=There.YES, how="GitLab gives out the log")
        when = job.get("erased_at")
        said = f"it was erased {when}, and its log is empty" if when else "its log is empty"
        return Sight(there=There.NO, how=said)

    def _delete(self, asked: Any) -> int:
        """201, or what refuses it."""
        return int(asked.client.ask("POST", f"{_job(asked)}/erase", accepted=_GONE).status)


def _project(asked: Any) -> str:
    return f"{asked.base}/api/v4/projects/{asked.path('/'.join(asked.names[:-2]))}"


def _job(asked: Any) -> str:
    return f"{_project(asked)}/jobs/{asked.path(asked.names[-1])}"


class JenkinsBuild(HttpKeeper):
    """A build: Jenkins deletes it whole."""

    loses: ClassVar[str] = (
        "the whole build goes: its log, artifacts, test results and what it was triggered by"
    )

    def _call(self, names: list[str]) -> str:
        """The request."""
        return f"jenkins:POST /{'/'.join(names)}/doDelete"

    def _look(self, asked: Any) -> Sight:
        """The build itself, and whether somebody had it kept."""
        build = row(asked, f"{_build(asked)}/api/json?tree=number,building,keepLog")
        if build is None:
            return lost(asked, "Jenkins has no such build", _jenkins_job(asked))
        if build.get("building") is True:
            return Sight(there=There.GROWS, how="the build is running")
        if build.get("keepLog") is True:
            return Sight(there=There.HELD, how="the build is marked to be kept forever")
        return Sight(there=There.YES, how="Jenkins gives out the build")

    def _delete(self, asked: Any) -> int:
        """302 to the job, or what refuses it."""
        url = f"{_build(asked)}/doDelete"
        return int(asked.client.ask("POST", url, accepted=(_FOUND, *_GONE)).status)


def _jenkins_job(asked: Any) -> str:
    return f"{asked.base}/{asked.path(*asked.names[:-1])}/api/json?tree=name"


def _build(asked: Any) -> str:
    return f"{asked.base}/{asked.path(*asked.names)}"


class BuildkiteJob(HttpKeeper):
    """A job's log, and nothing else."""

    loses: ClassVar[str] = "the job's log goes; the job, its build and its artifacts stay"

    def _call(self, names: list[str]) -> str:
        """The request."""
        org, pipeline, _, build, _, job = names
        return (
            f"buildkite:DELETE /v2/organizations/{org}/pipelines/{pipeline}/builds/{build}"
            f"/jobs/{job}/log"
        )

    def _look(self, asked: Any) -> Sight:
        """A job that is running writes it anew."""
        build = row(asked, _pipeline_build(asked))
        if build is None:
            return lost(asked, "Buildkite has no such build", _pipeline(asked))
        listed = build.get("jobs")
        jobs = listed if isinstance(listed, list) else []
        job = next((j for j in jobs if isinstance(j, dict) and j.get("id") == asked.names[-1]), {})
        if job and not job.get("finished_at"):
            return Sight(there=There.GROWS, how=f"the job is {job.get('state')}")
        if is_there(asked, f"{_log(asked)}.txt"):
            return Sight(there=There.YES, how="Buildkite gives out the log")
        return Sight(there=There.NO, how="Buildkite has no log of the job")

    def _delete(self, asked: Any) -> int:
        """204, or what refuses it."""
        return int(asked.client.ask("DELETE", _log(asked), accepted=_GONE).status)


def _pipeline(asked: Any) -> str:
    org, pipeline, *_ = asked.names
    return f"{asked.base}/v2/organizations/{asked.path(org)}/pipelines/{asked.path(pipeline)}"


def _pipeline_build(asked: Any) -> str:
    _, _, _, build, *_ = asked.names
    return f"{_pipeline(asked)}/builds/{asked.path(build)}"


def _log(asked: Any) -> str:
    return f"{_pipeline_build(asked)}/jobs/{asked.path(asked.names[-1])}/log"
