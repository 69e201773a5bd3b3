"""GitLab, as https://docs.gitlab.com/api/jobs/ says."""

from __future__ import annotations

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.log.provider.asking import (
    Asking,
    Listing,
    Row,
    link,
    text,
    unended,
    unread,
)
from stanch.scanner.sources.log.source import Log

HOST = "gitlab.com"
_NOT_STARTED = frozenset({"created", "pending", "manual", "scheduled", "skipped"})
_RUNNING = frozenset({"running", "canceling", "preparing", "waiting_for_resource"})


def logs(asking: Asking) -> Listing:
    """``GROUP/PROJECT``, ``…/jobs/ID``, ``…/pipelines/ID``."""
    names = asking.names
    which = names[-2:] if names[-2:-1] in (("jobs",), ("pipelines",)) else ()
    project = "/".join(names[: len(names) - len(which)]).removesuffix("/-")
    api = f"{asking.base}/api/v4/projects/{asking.path(project)}"
    if not which:
        rows = asking.rows(f"{api}/jobs?per_page={asking.page}")
        yield from asking.latest(
            project, rows, lambda job: _job(asking, api, project, job), what="jobs"
        )
        return
    try:
        if which[0] == "jobs":
            jobs = [asking.row(f"{api}/jobs/{asking.path(which[1])}")]
        else:
            listed = f"pipelines/{asking.path(which[1])}/jobs?include_retried=true&per_page=100"
            jobs = list(asking.rows(f"{api}/{listed}"))
    except HttpError as error:
        yield unread("/".join(names), error)
        return
    for job in jobs:
        yield from _job(asking, api, project, job)


def _job(asking: Asking, api: str, project: str, job: Row) -> Listing:
    number, name = text(job, "id"), text(job, "name")
    path = f"{project}/jobs/{number}"
    if text(job, "status") in _NOT_STARTED:
        if asking.seen is not None:
            yield unended(path)
        return  # it has none
    if text(job, "erased_at"):
        yield Gap(path=path, why="was erased: it is not there any more", incomplete=False)
        return
    pipeline = job.get("pipeline")
    place = InLog(
        path=path,
        provider="gitlab",
        run=text(pipeline, "id") if isinstance(pipeline, dict) else "",
        job=display(name),
        link=link(job, "web_url"),
        copies=asking.copy("gitlab", project, "jobs", number),
    )
    yield Log(place=place, open=asking.log(f"{api}/jobs/{asking.path(number)}/trace"))
    if text(job, "status") in _RUNNING:
        yield Gap(path=path, why="has not ended: the rest of its log is to come", incomplete=True)
