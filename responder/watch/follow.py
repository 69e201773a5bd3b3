"""A file that grows: read line by line from where it was left, also when it is rotated."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.watched import Source
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, Sight
from stanch.scanner.api import Gap, Gauge, Match, Scanner
from stanch.scanner.model.record import replace as changed

FILE = "file"
MOST = 16 << 20
"""Bytes of one look; when there are more, the next one follows at once."""

_BACK = 16 << 10  # bytes that are read once more: what stands on several lines may begin there
_LONGEST_LINE = 1 << 20  # of a longer one the end is not waited for
_MANY = 10_000  # files of a folder among which a rotated one is looked for
_FIELDS = ("device", "inode", "offset", "start", "line")


class FollowError(StanchError):
    """The file cannot be read."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """How far a file was read: up to ``offset``. The next look begins at ``start``, in ``line``."""

    device: int
    inode: int
    offset: int = 0
    start: int = 0
    line: int = 1

    @classmethod
    def of(cls, cursor: JsonObject) -> _Place | None:
        held = [cursor.get(name) for name in _FIELDS]
        if not all(isinstance(each, int) for each in held):
            return None
        return cls(**dict(zip(_FIELDS, cast("list[int]", held), strict=True)))

    def kept(self) -> JsonObject:
        return {name: getattr(self, name) for name in _FIELDS}

    def behind(self, data: bytes, cut: int) -> _Place:
        """The place when ``data[:cut]``, which begins at ``start``, was read."""
        first = max(0, cut - _BACK)
        back = (data.find(b"\n", first, cut) + 1 or first) if first else 0
        line = self.line + data.count(b"\n", 0, back)
        offset = max(self.offset, self.start + cut)
        return replace(self, offset=offset, start=self.start + back, line=line)


@dataclass(frozen=True, slots=True)
class Files:
    """Follows files of this machine."""

    scanner: Callable[[], Scanner]

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """What was added, as far as its lines have ended."""
        del now
        gauge = Gauge(source.measured)
        sight = Sight(results=iter(()), cursor=source.cursor)
        path = Path(source.subject).expanduser()
        sight.results = _said(path, self._results(path, sight, gauge, history=watched.history))
        return sight

    def _results(
        self, path: Path, sight: Sight, gauge: Gauge, *, history: bool
    ) -> Iterator[Brought]:
        before = _Place.of(sight.cursor)
        with _opened(path) as file:
            status = os.fstat(file.fileno())
            at = _Place(device=status.st_dev, inode=status.st_ino)
            if before is None and not history:
                end = status.st_size
                sight.cursor = replace(at, offset=end, start=end).kept()
                return
            if before is not None and (before.device, before.inode) != (at.device, at.inode):
                yield from self._rest(path, before, gauge)
            elif before is not None and before.offset <= status.st_size:
                at = before  # else it was emptied, and begins anew
            data, cut = _read(file, at, ended=False)
        yield from self._scanned(path, at, data[:cut], gauge)
        sight.more = len(data) == MOST and bool(cut)
        sight.cursor = at.behind(data, cut).kept()
        sight.shifts, sight.measured = gauge.changes(), gauge.kept()

    def _rest(self, path: Path, at: _Place, gauge: Gauge) -> Iterator[Brought]:
        """What is left of the file that had the name before, if it is still beside it."""
        old = _moved(path, at)
        if old is None:
            why = "was replaced, and the old file is gone: its last lines were not read"
            yield Gap(path=str(path), why=why, incomplete=True, lasting=True)
            return
        with _opened(old) as file:
            while True:
                data, cut = _read(file, at, ended=True)
                yield from self._scanned(path, at, data[:cut], gauge)
                at = at.behind(data, cut)
                if len(data) < MOST:
                    return

    def _scanned(self, path: Path, at: _Place, data: bytes, gauge: Gauge) -> Iterator[Brought]:
        fresh = data[at.offset - at.start :]
        if not fresh:
            return
        gauge.hear(fresh)
        scan = self.scanner().scan_stream(io.BytesIO(data), name=str(path))
        for each in scan:
            yield _moved_down(each, at.line - 1) if isinstance(each, Match) else each


def _said(path: Path, results: Iterator[Brought]) -> Iterator[Brought]:
    """The same; what the system says of the file, at whatever call, is said of the file."""
    try:
        yield from results
    except OSError as error:
        raise FollowError(
            f"{path} cannot be read: {error.strerror}",
            remedy="a file is followed where it is: run `stanch watch` there, as who may read it",
        ) from None


def _read(file: BinaryIO, at: _Place, *, ended: bool) -> tuple[bytes, int]:
    """Bytes from the start on, and how many are whole lines; all when the file ``ended``."""
    file.seek(at.start)
    data = file.read(MOST)
    cut = data.rfind(b"\n") + 1
    if (ended and len(data) < MOST) or len(data) - cut >= _LONGEST_LINE:
        cut = len(data)
    return data, cut


def _moved_down(match: Match, lines: int) -> Match:
    span = match.finding.span
    moved = changed(span, line=span.line + lines, end_line=span.end_line + lines)
    return changed(match, finding=changed(match.finding, span=moved))


def _opened(path: Path) -> BinaryIO:
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(number).st_mode  # before it is a file of Python's, which refuses directories
    if stat.S_ISREG(mode):
        return os.fdopen(number, "rb")
    os.close(number)
    if stat.S_ISDIR(mode):
        raise FollowError(
            f"{path} is a directory; name a file",
            remedy=f'watch each file of it on its own: [watch.NAME] of = "{path}/app.log"',
        )
    raise FollowError(
        f"{path} is no regular file; name one", remedy="pipe it through: … | stanch scan -"
    )


def _moved(path: Path, at: _Place) -> Path | None:
    """The file under the name that it was given when it was rotated away."""
    try:
        with os.scandir(path.parent) as entries:
            for entry in islice(entries, _MANY):
                status = entry.stat(follow_symlinks=False)
                if (status.st_dev, status.st_ino) == (at.device, at.inode):
                    return Path(entry.path)
    except OSError:
        return None  # said by the caller: its last lines were not read
    return None
