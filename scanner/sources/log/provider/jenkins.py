"""Jenkins: the console of a build, or of the latest builds of a job or a folder."""

from __future__ import annotations

from collections.abc import Iterator

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
    unread,
)
from stanch.scanner.sources.log.source import Log

HOST = None  # everybody has his own
_BUILD = "number,url,building"
_TREE = f"tree=jobs[name],builds[{_BUILD}]{{0,{LATEST + 1}}}"
_DEEPEST = 8  # folders


def logs(asking: Asking) -> Listing:
    """``job/NAME[/job/NAME…]``, or one of its builds: ``…/12``."""
    names = asking.names
    if names[-1].isdecimal() and names[-2:-1] != ("job",):
        where = f"{asking.base}/{asking.path(*names)}"
        try:
            yield from _build(asking, names[:-1], asking.row(f"{where}/api/json?tree={_BUILD}"))
        except HttpError as error:
            yield unread("/".join(names), error)
        return
    yield from _below(asking, names, _DEEPEST)


def _below(asking: Asking, names: tuple[str, ...], deepest: int) -> Listing:
    shown = "/".join(names)
    try:
        row = asking.row(f"{asking.base}/{asking.path(*names)}/api/json?{_TREE}")
    except HttpError as error:
        yield unread(shown, error)
        return
    yield from asking.latest(
        shown,
        _builds(asking, names, children(row, "builds")),
        lambda build: _build(asking, names, build),
        key="number",
        what="builds",
    )
    for job in children(row, "jobs"):
        if deepest:
            yield from _below(asking, (*names, "job", text(job, "name")), deepest - 1)
        else:
            yield Gap(path=shown, why="folders are nested too deeply", incomplete=True)


def _builds(asking: Asking, names: tuple[str, ...], latest: list[Row]) -> Iterator[Row]:
    """The latest, and where an earlier scan has to be met those before them."""
    yield from latest
    offset = len(latest)
    while asking.seen is not None and offset > LATEST:
        tree = f"tree=allBuilds[{_BUILD}]{{{offset},{offset + asking.page}}}"
        row = asking.row(f"{asking.base}/{asking.path(*names)}/api/json?{tree}")
        page = children(row, "allBuilds")
        yield from page
        offset = offset + len(page) if page else 0


def _build(asking: Asking, names: tuple[str, ...], build: Row) -> Listing:
    number = text(build, "number")
    job = display("/".join(name for name in names if name != "job"))
    place = InLog(
        path=f"{job}/{number}",
        provider="jenkins",
        run=number,
        job=job,
        link=link(build, "url"),
        copies=asking.copy("jenkins", *names, number),
    )
    where = f"{asking.base}/{asking.path(*names, number)}"
    yield Log(place=place, open=asking.log(f"{where}/consoleText"))
    if build.get("building") is True:
        why = "has not ended: the rest of its log is to come"
        yield Gap(path=place.path, why=why, incomplete=True)
