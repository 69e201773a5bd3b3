"""What all providers have in common: how they are asked, and how an answer becomes a log."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import IO, TypeVar
from urllib.parse import quote

from stanch.scanner.local.hosts import operator_hosts
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.body import Body
from stanch.scanner.sources.http.client import Authorize, Client, bearer
from stanch.scanner.sources.log.seen import MOST, NOT_ENDED, Pipeline, Seen
from stanch.scanner.sources.log.source import Log, unread
from stanch.scanner.sources.source import Milestone

__all__ = [
    "LATEST",
    "Asking",
    "Listing",
    "Row",
    "children",
    "link",
    "number",
    "older",
    "text",
    "unended",
    "unknown",
    "unread",
    "unread_units",
]
LATEST = 20
"""Runs that are read of a target that names none."""

_LOOPBACK = ("127.0.0.1", "localhost")
_SEGMENT = re.compile(r"[^\s/?#\x00-\x1f]+")
_LARGEST = 64 << 20  # bytes of an archive, which has to be held in memory

_PAGE = 100  # rows at a time where as many as it takes are wanted

Row = Mapping[str, object]
Listing = Iterator[Log | Gap | Milestone]
Key = tuple[int, str]
"""The number of a run, and which attempt of it."""

Unit = TypeVar("Unit")


class Asking(Record):
    """A provider's host. ``names`` is what the target says behind it."""

    client: Client
    base: str
    names: tuple[str, ...]
    seen: Seen | None = None

    @classmethod
    def of(
        cls,
        path: str,
        default: str | None,
        authorize: Authorize = bearer,
        seen: Seen | None = None,
    ) -> Asking:
        """What ``[HOST/]NAME/…`` asks; ``default`` is the host where none is named."""
        names = tuple(path.strip("/").split("/"))
        own = "." in names[0] or ":" in names[0] or names[0] in _LOOPBACK
        if own or default is None:
            host, names = names[0].lower(), names[1:]
        else:
            host = default
        if not names or not all(_SEGMENT.fullmatch(each) for each in (host, *names)):
            raise unknown(path)
        plain = "http" if host.partition(":")[0] in _LOOPBACK else "https"
        client = Client.of(operator_hosts(), named=(host,), authorize=authorize)
        return cls(client=client, base=f"{plain}://{host}", names=names, seen=seen)

    def path(self, *names: object) -> str:
        """Names as a part of an address."""
        return "/".join(quote(str(each), safe="") for each in names)

    def copy(self, provider: str, *names: str) -> tuple[str, ...]:
        """The target for what the provider deletes as a whole, always with its host."""
        return (f"log:{provider}/{'/'.join((self.base.partition('://')[2], *names))}",)

    @property
    def page(self) -> int:
        """How many of the latest are asked for at a time."""
        return LATEST if self.seen is None else _PAGE

    def latest(
        self,
        scope: str,
        rows: Iterator[Row],
        read: Callable[[Row], Listing],
        *,
        key: str = "id",
        attempt: str = "",
        what: str = "runs",
    ) -> Listing:
        """The logs of the latest runs; or of all that were not read yet, whichever have ended."""
        seen = self.seen
        if seen is None:
            yield from self._newest(scope, rows, read, what)
        else:
            yield from unread_units(
                seen, scope, ((_key(row, key, attempt), row) for row in rows), read
            )

    def _newest(
        self, scope: str, rows: Iterator[Row], read: Callable[[Row], Listing], what: str
    ) -> Listing:
        try:
            found = list(islice(rows, LATEST + 1))
        except HttpError as error:
            yield unread(scope, error)
            return
        for row in found[:LATEST]:
            yield from read(row)
        if len(found) > LATEST:
            yield older(scope, what)

    def row(self, url: str) -> Row:
        """One object."""
        found = self.client.get(url).json()
        if not isinstance(found, dict):
            raise HttpError(f"{url} gives no object", remedy="is that its interface?")
        return found

    def rows(self, url: str, key: str = "", *, most: int = 100_000) -> Iterator[Row]:
        """The objects of a list and its next pages. Raises when that is not all there are."""
        count = total = 0
        for page in self.client.pages(url):
            found = page.json()
            if key and isinstance(found, dict):
                total = max(total, number(found, "total_count", 0))
                found = found.get(key)
            if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
                raise HttpError(f"{url} gives no list", remedy="is that its interface?")
            count += len(found)
            if count > most:
                raise HttpError(f"{url} lists more than {most:,}", remedy="ask for one by number")
            yield from found
        if count < total:
            raise HttpError(f"{url} lists {count:,} of {total:,}", remedy="ask again later")

    def log(self, url: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
        """What opens the text behind an address."""

        @contextmanager
        def opened() -> Iterator[IO[bytes]]:
            with self.client.body(url) as body, io.BufferedReader(_Raw(body)) as file:
                yield file

        return opened

    def archive(self, url: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
        """What opens an archive, which is read here and there."""

        @contextmanager
        def opened() -> Iterator[IO[bytes]]:
            with self.client.body(url) as body, io.BufferedReader(_Raw(body)) as file:
                data = file.read(_LARGEST + 1)
            if len(data) > _LARGEST:
                raise HttpError(
                    f"is larger than {_LARGEST >> 20} MiB", remedy="fetch it, and scan the file"
                )
            yield io.BufferedReader(io.BytesIO(data))

        return opened


def unread_units(
    seen: Seen, scope: str, units: Iterator[tuple[Key, Unit]], read: Callable[[Unit], Listing]
) -> Listing:
    """The logs of units, newest first, that were not read yet; each is remembered when it was."""
    first = scope not in seen.pipelines
    pipeline = seen.pipelines.get(scope) or Pipeline(floor=0, read=set())
    count = 0
    try:
        for (number, attempt), unit in units:
            if first and (seen.behind or count == LATEST):
                pipeline.floor = number + 1
                break
            if number < pipeline.floor:
                break
            count += 1
            if count > MOST:
                pipeline.floor = number + 1
                why = f"more than {MOST:,} since the oldest that goes on: no older one is read"
                yield Gap(path=display(scope), why=why, incomplete=True, lasting=True)
                break
            if pipeline.wants(number, attempt):
                yield Milestone(done=0)
                yield from read(unit)
                yield Milestone(done=0, over=_over(pipeline, number, attempt))
    except HttpError as error:
        yield unread(scope, error)
        return

    def settled(_: bool) -> None:  # noqa: FBT001  # what a milestone says
        pipeline.settle()
        seen.pipelines[scope] = pipeline

    yield Milestone(done=0, over=settled)


def _over(pipeline: Pipeline, number: int, attempt: str) -> Callable[[bool], None]:
    return lambda whole: pipeline.over(number, attempt, whole=whole)


def _key(row: Row, key: str, attempt: str) -> Key:
    number = text(row, key)
    if not number.isdecimal():
        raise HttpError(f"a listed run has no {key}", remedy="is that its interface?")
    return int(number), text(row, attempt) if attempt else ""


class _Raw(io.RawIOBase):
    """An answer's bytes as a file."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def text(row: Row, key: str) -> str:
    """A text or a number of an object, "" where it has none."""
    value = row.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def number(row: Row, key: str, without: int = 1) -> int:
    """A number of an object, or what counts where it has none."""
    value = row.get(key)
    return value if isinstance(value, int) else without


def children(row: Row, key: str) -> list[Row]:
    """The objects in a list of an object."""
    value = row.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def link(row: Row, key: str) -> str | None:
    """The page of something, if it is one."""
    url = text(row, key)
    return url if url.startswith(("https://", "http://")) else None


def older(path: str, what: str) -> Gap:
    """That only the latest were read."""
    return Gap(
        path=display(path), why=f"only the latest {LATEST} {what} are read", incomplete=False
    )


def unended(path: str) -> Gap:
    """That a run goes on; whoever looks again reads it then."""
    return Gap(path=path, why=f"{NOT_ENDED}: its log is not there yet", incomplete=True)


def unknown(path: str) -> UsageError:
    """The target names nothing that a provider has."""
    return UsageError(
        f"{display(path)} names no log",
        remedy="docs/logs.md has the form for each provider, e.g. "
        "stanch scan log:github/ORG/REPO/runs/ID",
    )
