"""Buildkite, as https://buildkite.com/docs/apis/rest-api/jobs says."""

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
    text,
    unended,
    unknown,
    unread,
)
from stanch.scanner.sources.log.source import Log

HOST = "api.buildkite.com"


def logs(asking: Asking) -> Listing:
    """``ORG/PIPELINE``, one of its builds, or a build's job: ``…/builds/12[/jobs/ID]``."""
    build = job = ""
    match asking.names:
        case (org, pipeline):
            pass
        case (org, pipeline, "builds", build):
            pass
        case (org, pipeline, "builds", build, "jobs", job):
            pass
        case _:
            raise unknown("/".join(asking.names))
    api = f"{asking.base}/v2/organizations/{asking.path(org)}/pipelines/{asking.path(pipeline)}"
    return _builds(asking, f"{api}/builds", build, job)


def _builds(asking: Asking, api: str, build: str, only: str) -> Listing:
    shown = "/".join(asking.names)

    def read(row: Row) -> Listing:
        for each in children(row, "jobs"):
            if not only or text(each, "id") == only:
                yield from _job(asking, api, text(row, "number"), each)
        if asking.seen is not None and not text(row, "finished_at"):
            yield unended(f"{shown}/builds/{text(row, 'number')}")

    if not build:
        rows = asking.rows(f"{api}?per_page={asking.page}")
        yield from asking.latest(shown, rows, read, key="number", what="builds")
        return
    try:
        yield from read(asking.row(f"{api}/{asking.path(build)}"))
    except HttpError as error:
        yield unread(shown, error)


def _job(asking: Asking, api: str, build: str, job: Row) -> Listing:
    if text(job, "type") != "script" or not text(job, "started_at"):
        return  # it has none
    name = display(text(job, "name")) or text(job, "id")
    place = InLog(
        path=f"{'/'.join(asking.names[:2])}/builds/{build}/{name}",
        provider="buildkite",
        run=build,
        job=name,
        link=link(job, "web_url"),
        copies=asking.copy(
            "buildkite", *asking.names[:2], "builds", build, "jobs", text(job, "id")
        ),
    )
    url = f"{api}/{asking.path(build)}/jobs/{asking.path(text(job, 'id'))}/log.txt"
    yield Log(place=place, open=asking.log(url))
    if not text(job, "finished_at"):
        why = "has not ended: the rest of its log is to come"
        yield Gap(path=place.path, why=why, incomplete=True)
