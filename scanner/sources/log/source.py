"""Logs as a source: one item is one log, or an archive of some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import IO

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InLog, Provenance
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.archive import LOOKED_AT, members
from stanch.scanner.sources.content.kept import kept
from stanch.scanner.sources.content.text_or_binary import is_archive
from stanch.scanner.sources.content.unpacked import DamagedError, unpacked, unpacker
from stanch.scanner.sources.content.window import Read
from stanch.scanner.sources.log.clean import cleaned
from stanch.scanner.sources.log.step import Ran
from stanch.scanner.sources.source import Milestone

_GONE = (404, 410)
_LARGEST = 8 << 30  # bytes of a log when it is unpacked
#: Of the archive of a run of GitHub: ``JOB/3_STEP.txt``, and ``0_JOB.txt``, which is all of a job.
_STEP = re.compile(r"(?P<job>[^!]*)/\d+_(?P<step>[^/!]*)\.txt\Z")
_JOB = re.compile(r"\d+_(?P<job>[^/!]*)\.txt\Z|(?P<system>[^!]*)/system\.txt\Z")


class Log(Record):
    """A log, where it is, and how to get at it; an archive has to be seekable."""

    place: InLog
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    ran: tuple[Ran, ...] = ()
    files: bool = False  # it is no log but an archive of files
    first_line: int = 1  # of what is read; what stood before it was read before


class Logs:
    """What a provider lists, or a file. ``ended`` is called when all of it has been read.

    ``heard`` gets the clean text that is read; ``begins`` says of which logs only the rest is.
    """

    def __init__(
        self,
        listed: Iterable[Log | Gap | Milestone],
        ended: Callable[[], None] = lambda: None,
        heard: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._listed, self._ended, self._heard = listed, ended, heard
        self.begins: dict[str, int] = {}

    def batches(self) -> Iterator[tuple[Log, ...] | Gap | Milestone]:
        """One log each: they may be large."""
        for each in self._listed:
            if isinstance(each, Log):
                self.begins[each.place.path] = each.first_line
                yield (each,)
            else:
                yield each

    def read(self, batch: tuple[Log, ...]) -> Iterator[Fragment | Gap]:
        """The logs' lines."""
        for log in batch:
            try:
                with log.open() as file:
                    for piece in _content(file, log):
                        if isinstance(piece, Fragment):
                            self._heard(piece.data)
                        yield piece
            except OSError as error:
                why = f"damaged: {error}" if isinstance(error, DamagedError) else error.strerror
                yield Gap(path=log.place.path, why=why or "unreadable", incomplete=True)
            except SourceError as error:
                # What is gone stays gone: a job that was cancelled has no log, an old one expires.
                gone = getattr(error, "status", 0) in _GONE
                yield replace(unread(log.place.path, error), lasting=gone)

    def close(self) -> None:
        """End what listing has opened."""
        self._ended()

    def label(self, item: Log) -> str:
        """The log's name."""
        return item.place.path


def unread(path: str, error: SourceError) -> Gap:
    """Why a log or a list was not read."""
    gone = getattr(error, "status", 0) in _GONE
    said = " (expired, deleted, or not to be seen with this token)" if gone else ""
    return Gap(path=path, why=f"not read: {error}{said}; {error.remedy}", incomplete=True)


def _content(file: IO[bytes], log: Log) -> Iterator[Fragment | Gap]:
    head = file.peek(LOOKED_AT) if hasattr(file, "peek") else b""
    make = unpacker(head)
    if make is not None and not log.files:
        with unpacked(file.read, make) as stream:
            yield from cleaned(_bounded(kept(stream), log.place), log.place, log.ran)
    elif is_archive(head):
        if log.files:
            yield from members(file, log.place)
        else:
            yield from members(file, log.place, cut=_member)
    else:
        yield from cleaned(kept(file), log.place, log.ran)


def _member(read: Read, place: Provenance) -> Iterator[Fragment | Gap]:
    """A log in an archive, whose name may say what wrote it."""
    if isinstance(place, InLog):
        place = _placed(place)
    return cleaned(read, place)


def _placed(place: InLog) -> InLog:
    name = place.path.rpartition("!")[2]
    if found := _STEP.match(name):
        return replace(place, job=place.job or found["job"], step=found["step"])
    if found := _JOB.match(name):
        return replace(place, job=place.job or found["job"] or found["system"])
    return place


def _bounded(read: Read, place: InLog) -> Read:
    left = _LARGEST

    def bounded(size: int) -> bytes:
        nonlocal left
        data = read(size)
        left -= len(data)
        if left < 0:
            raise DamagedError(f"{place.path} unpacks to more than {_LARGEST >> 30} GiB")
        return data

    return bounded
