"""Accesses of an application, which holds no key of the record: lines that follow from each other.

Each line carries the digest of the one before it, so that a line that was changed or taken out of
the middle shows. Lines cut off at the end do not, until somebody has noted the head.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.json import JsonObject, canonical
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.model.access import Access, Outcome
from stanch.responder.lifecycle.model.metadata import instant

FIRST = "0" * 64
_TAIL = 64 << 10  # bytes in which the last line surely begins
_LONGEST = 16 << 10  # characters of one line


class AccessNotRecorded(StanchError):  # noqa: N818  # what happened, named as people say it
    """The access could not be written down, so nothing was given."""

    exit_code = 70
    then = "stanch doctor"


def place_of(data: Path) -> Path:
    """Where the applications of a data directory write."""
    return data / "access.jsonl"


@dataclass(frozen=True, slots=True)
class FileAccessLog:
    """The port over a file of JSON lines, mode 0600, shared by the processes of a host."""

    path: Path

    def record(self, access: Access) -> None:
        """Append one line and bring it to the disk."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(
                self.path,
                os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with the descriptor
                line = _line(access, after=_head(descriptor))
                written = os.write(descriptor, line)
                if written != len(line):
                    raise OSError(0, "only a part was written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AccessNotRecorded(
                f"the access cannot be recorded in {self.path}: {error.strerror}",
                remedy="let this user write there, or free some space: nothing is given until then",
            ) from None


def breaks(path: Path) -> Iterator[int]:
    """The numbers of the lines that do not follow from the one before them."""
    before = FIRST
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            found = _parsed(line)
            said = found.pop("digest", "")
            if found.get("previous") != before or said != _digest(found):
                yield number
            before = str(said)


def given(path: Path) -> Iterator[Event]:
    """The accesses that were given, as the record would tell of them; lines of others are none."""
    with path.open("rb") as file:
        for line in file:
            found = _parsed(line)
            at = _instant(found.get("at"))
            if at is not None and found.get("outcome") == Outcome.GIVEN:
                yield Event(
                    at=at,
                    actor=str(found.get("actor")),
                    action=f"secret.{Outcome.GIVEN}",
                    incident=None,
                    detail=found,
                )


def _line(access: Access, *, after: str) -> bytes:
    body: dict[str, Any] = {
        "at": access.at.isoformat(),
        "actor": access.asker.actor,
        "previous": after,
        **access.words,
    }
    body["detail"] = str(body["detail"])[:_LONGEST]
    return canonical({**body, "digest": _digest(body)}) + b"\n"


def _digest(body: JsonObject) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def _head(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    last = tail.rstrip(b"\n").rpartition(b"\n")[2]
    return str(_parsed(last).get("digest", "")) if last else FIRST


def _instant(text: object) -> datetime | None:
    try:
        return instant(str(text))
    except ValueError:
        return None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
