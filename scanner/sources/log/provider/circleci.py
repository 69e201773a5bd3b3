"""CircleCI: what steps print is at addresses that only version 1.1 of its interface gives."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import IO

from stanch.scanner.local.hosts import Host
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.log.provider.asking import (
    LATEST,
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

HOST = "circleci.com"


def authorize(host: Host) -> Mapping[str, str]:
    """CircleCI has a header of its own."""
    secret = host.secret(os.environ)
    return {"Circle-Token": secret.reveal().decode("latin-1")} if secret else {}


def logs(asking: Asking) -> Listing:
    """``gh/ORG/REPO``, or one of its jobs: ``gh/ORG/REPO/123``."""
    match asking.names:
        case (vcs, org, repo, *job) if len(job) <= 1:
            api = f"{asking.base}/api/v1.1/project/{asking.path(vcs, org, repo)}"
            return _jobs(asking, api, job[0] if job else "")
        case _:
            raise unknown("/".join(asking.names))


def _jobs(asking: Asking, api: str, job: str) -> Listing:
    shown = "/".join(asking.names[:3])

    def read(row: Row) -> Listing:
        number = text(row, "build_num")
        try:
            yield from _job(asking, api, shown, number)
        except HttpError as error:
            yield unread(f"{shown}/{number}", error)
        if asking.seen is not None and text(row, "lifecycle") != "finished":
            yield unended(f"{shown}/{number}")

    if job:
        yield from read({"build_num": job})
    else:
        yield from asking.latest(shown, _rows(asking, api), read, key="build_num", what="jobs")


def _rows(asking: Asking, api: str) -> Iterator[Row]:
    """The latest jobs; there is no link from one page to the next."""
    size, offset = (LATEST + 1 if asking.seen is None else asking.page), 0
    while True:
        page = list(
            asking.rows(f"{api}?limit={size}&shallow=true{f'&offset={offset}' if offset else ''}")
        )
        yield from page
        if len(page) < size:
            return
        offset += size


def _job(asking: Asking, api: str, shown: str, number: str) -> Listing:
    row = asking.row(f"{api}/{asking.path(number)}")
    workflow = row.get("workflows")
    name = text(workflow, "job_name") if isinstance(workflow, dict) else ""
    for step in children(row, "steps"):
        for action in children(step, "actions"):
            url = text(action, "output_url")
            if not url:
                continue
            place = InLog(
                path=f"{shown}/{number}/{display(text(step, 'name'))}",
                provider="circleci",
                run=number,
                job=display(name) or number,
                step=display(text(step, "name")),
                link=link(row, "build_url"),
                copies=asking.copy("circleci", *asking.names[:3], number),
            )
            yield Log(place=place, open=_output(asking, url))
            if action.get("truncated") is True:
                yield Gap(path=place.path, why="was cut by CircleCI", incomplete=True)


def _output(asking: Asking, url: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        rows = asking.client.get(url).json()
        if not isinstance(rows, list):
            raise HttpError("a step's output is no list", remedy="is that its interface?")
        said = "".join(text(row, "message") for row in rows if isinstance(row, dict))
        data = said.encode("utf-8", "surrogatepass")
        yield io.BufferedReader(io.BytesIO(data))

    return opened
