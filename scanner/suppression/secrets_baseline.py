"""``.secrets.baseline``, the file of detect-secrets: read as it is, written as it reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.suppression.entry import Imported

NAME = ".secrets.baseline"
_LARGEST = 64 * 2**20  # bytes
_FROM = "detect-secrets baseline, "
_VERDICT = {None: "not audited", False: "audited as a false alarm", True: "audited as real"}


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    hashed_secret: str
    filename: str | None = None
    line_number: int = 0
    is_secret: bool | None = None
    is_verified: bool = False


class _File(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    results: dict[str, list[_Result]]
    plugins_used: list[dict[str, Any]] = []
    filters_used: list[dict[str, Any]] = []


_FILE = msgspec.json.Decoder(_File)


class SecretsBaseline(Record):
    """What the file holds: its entries, and the plugins and filters that made it."""

    version: str
    entries: tuple[Imported, ...]
    plugins: tuple[Mapping[str, Any], ...] = ()
    filters: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, path: Path, *, author: str, added: date, expires: date | None) -> SecretsBaseline:
        """The file's content. Nothing that it names (custom plugins, models) is loaded."""
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}",
                remedy="name the file that `detect-secrets scan` has written",
            ) from error
        return cls.parse(data, name=str(path), author=author, added=added, expires=expires)

    @classmethod
    def parse(
        cls, data: bytes, *, name: str, author: str, added: date, expires: date | None
    ) -> SecretsBaseline:
        """As :meth:`read`, for bytes that are here already (a blob of git)."""
        try:
            if len(data) > _LARGEST:
                raise _foreign(name, f"it is larger than {_LARGEST >> 20} MiB")
            read = _FILE.decode(data)
            entries = [
                _entry(path, each, author=author, added=added, expires=expires)
                for path, results in sorted(read.results.items())
                for each in results
            ]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _foreign(name, str(error)) from error
        return cls(
            version=read.version,
            entries=tuple(entries),
            plugins=tuple(read.plugins_used),
            filters=tuple(read.filters_used),
        )


def rendered(
    entries: Iterable[Imported],
    *,
    version: str,
    plugins: Sequence[Mapping[str, Any]],
    filters: Sequence[Mapping[str, Any]],
    now: datetime,
) -> str:
    """A file that detect-secrets accepts as its own. ``now`` is in UTC."""
    results: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(entries, key=lambda each: (each.path, each.line, each.sha1, each.detector)):
        found: dict[str, Any] = {
            "type": each.detector,
            "filename": each.path,
            "hashed_secret": each.sha1,
            "is_verified": each.is_verified,
        }
        if each.line:
            found["line_number"] = each.line
        if each.is_secret is not None:
            found["is_secret"] = each.is_secret
        results.setdefault(each.path, []).append(found)
    whole = {
        "version": version,
        "plugins_used": list(plugins),
        "filters_used": list(filters),
        "results": results,
        "generated_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps(whole, indent=2) + "\n"


def verdict_of(reason: str) -> bool | None:
    """The verdict that an entry's reason was made from, None when it says something else."""
    told = {f"{_FROM}{words}": verdict for verdict, words in _VERDICT.items()}
    return told.get(reason)


def _entry(
    name: str, result: _Result, *, author: str, added: date, expires: date | None
) -> Imported:
    made = {
        "sha1": result.hashed_secret,
        # Older versions wrote the platform's separators, and a leading "./" from the command line.
        "path": PurePosixPath(name.replace("\\", "/")).as_posix(),
        "detector": result.type,
        "reason": f"{_FROM}{_VERDICT[result.is_secret]}",
        "author": author,
        "added": added,
        "expires": expires,
        "line": result.line_number,
        "is_secret": result.is_secret,
        "is_verified": result.is_verified,
    }
    return msgspec.convert({"type": "detect-secrets", **made}, Imported)


def _foreign(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} is not a baseline of detect-secrets: {why}",
        remedy="name the file that `detect-secrets scan` has written",
    )
