"""GitHub Actions, as https://docs.github.com/en/rest/actions says: jobs' logs, and artifacts.

The archive of a whole run often lacks the files of its steps, so each job's log is read for itself
and the steps are told apart by when they ran.
"""

from __future__ import annotations

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.log.provider.asking import (
    Asking,
    Listing,
    Row,
    children,
    link,
    number,
    text,
    unended,
    unknown,
    unread,
)
from stanch.scanner.sources.log.source import Log
from stanch.scanner.sources.log.step import Ran

HOST = "github.com"
_SECONDS = len("2024-05-06T07:08:09")


def logs(asking: Asking) -> Listing:
    """``ORG/REPO``, ``…/runs/ID``, ``…/runs/ID/attempts/N``, ``…/jobs/ID``."""
    match asking.names:
        case (org, repo, *which):
            pass
        case _:
            raise unknown("/".join(asking.names))
    home = asking.base
    api = "https://api.github.com" if home == f"https://{HOST}" else f"{home}/api/v3"
    actions = f"{api}/repos/{asking.path(org, repo)}/actions"
    match which:
        case ["runs", run]:
            return _run(asking, actions, run, f"runs/{run}/jobs?filter=all&per_page=100")
        case ["runs", run, "attempts", attempt]:
            return _run(asking, actions, run, f"runs/{run}/attempts/{attempt}/jobs?per_page=100")
        case ["jobs", job]:
            return _alone(asking, actions, job)
        case []:
            return _latest(asking, actions)
        case _:
            raise unknown("/".join(asking.names))


def _latest(asking: Asking, actions: str) -> Listing:
    rows = asking.rows(f"{actions}/runs?per_page={asking.page}", "workflow_runs")

    def read(run: Row) -> Listing:
        name = text(run, "id")
        yield from _run(asking, actions, name, f"runs/{name}/jobs?filter=all&per_page=100")
        if asking.seen is not None and text(run, "status") != "completed":
            yield unended(f"{'/'.join(asking.names)}/runs/{name}")

    yield from asking.latest("/".join(asking.names), rows, read, attempt="run_attempt")


def _run(asking: Asking, actions: str, run: str, jobs: str) -> Listing:
    try:
        for job in asking.rows(f"{actions}/{jobs}", "jobs"):
            yield from _job(asking, actions, job)
        yield from _artifacts(asking, actions, run)
    except HttpError as error:
        yield unread(f"{'/'.join(asking.names[:2])}/runs/{run}", error)


def _alone(asking: Asking, actions: str, job: str) -> Listing:
    try:
        yield from _job(asking, actions, asking.row(f"{actions}/jobs/{asking.path(job)}"))
    except HttpError as error:
        yield unread("/".join(asking.names), error)


def _job(asking: Asking, actions: str, job: Row) -> Listing:
    run, name = text(job, "run_id"), text(job, "name")
    path = f"{'/'.join(asking.names[:2])}/runs/{run}/{display(name)}"
    if text(job, "status") != "completed":
        yield Gap(path=path, why="has not ended: its log is not there yet", incomplete=True)
        return
    if text(job, "conclusion") == "skipped":
        return  # it has none
    place = InLog(
        path=path,
        provider="github",
        run=run,
        attempt=number(job, "run_attempt"),
        job=name,
        link=link(job, "html_url"),
        copies=asking.copy("github", *asking.names[:2], "runs", run),
    )
    ran = tuple(
        Ran(name=text(step, "name"), since=text(step, "started_at")[:_SECONDS])
        for step in children(job, "steps")
        if text(step, "started_at")
    )
    url = f"{actions}/jobs/{asking.path(text(job, 'id'))}/logs"
    yield Log(place=place, open=asking.log(url), ran=ran)


def _artifacts(asking: Asking, actions: str, run: str) -> Listing:
    """What the run has left; several of the same content once."""
    seen: set[str] = set()
    listed = f"{actions}/runs/{asking.path(run)}/artifacts?per_page=100"
    for each in asking.rows(listed, "artifacts"):
        name = display(text(each, "name"))
        path = f"{'/'.join(asking.names[:2])}/runs/{run}/artifact {name}.zip"
        digest = text(each, "digest")
        if each.get("expired") is True:
            yield Gap(path=path, why="has expired: it is not there any more", incomplete=False)
        elif not digest or digest not in seen:
            seen.add(digest)
            url = f"{actions}/artifacts/{asking.path(text(each, 'id'))}/zip"
            place = InLog(path=path, provider="github", run=run)
            yield Log(place=place, open=asking.archive(url), files=True)
