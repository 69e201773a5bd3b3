"""Those who keep logs: what they have, whether it is still there, and having it deleted.

A keeper is asked with what ``[hosts]`` gives for it, as a scan asks; deleting needs more rights
than reading. Of an answer nothing but its status is passed on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.scanner.api import HttpError, SourceError, UsageError, logs_kept, provider_asked
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.secret import SecretValue

LARGEST = 32 << 20  # bytes of all logs of one copy that are sealed
_AGAIN = timedelta(seconds=5)
_UNAUTHORIZED, _FORBIDDEN, _BUSY, _BROKEN = 401, 403, 429, 500
_GONE = frozenset({404, 410})


class There(StrEnum):
    """Whether a log can be read at its keeper's."""

    YES = "there"
    NO = "not there"
    UNSEEN = "not to be seen"  # deleted with all around it, or hidden from our token
    GROWS = "still being written"
    HELD = "held"  # its keeper was told to keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a keeper says of a log, and how it was seen."""

    there: There
    how: str


class Keeper(Protocol):
    """One provider. ``loses`` is what goes with the log, in words."""

    loses: ClassVar[str]

    def call(self, target: str) -> str:
        """The exact request that deletes it."""

    def look(self, target: str) -> Sight:
        """Whether it is there. Raises Retryable or StepFailed."""

    def delete(self, target: str) -> int:
        """Have it deleted; the status. Raises as ``look``."""


class HttpKeeper(ABC):
    """A keeper with an interface of HTTP. ``asked`` has a client, and the names behind the host."""

    def look(self, target: str) -> Sight:
        """See :class:`Keeper`."""
        with _asking(target) as asked:
            return self._look(asked)

    def delete(self, target: str) -> int:
        """See :class:`Keeper`."""
        with _asking(target) as asked:
            return self._delete(asked)

    def call(self, target: str) -> str:
        """See :class:`Keeper`."""
        names = target.split("/")[2:]
        try:
            return self._call(names)
        except (ValueError, IndexError):  # of a plan, where the target is not known yet
            return f"delete {target}"

    @abstractmethod
    def _look(self, asked: Any) -> Sight:
        """What is to be seen of it at the host."""

    @abstractmethod
    def _delete(self, asked: Any) -> int:
        """Ask the host to delete it; the status."""

    @abstractmethod
    def _call(self, names: list[str]) -> str:
        """The request that would be sent."""


def is_there(asked: Any, url: str) -> bool:
    """Whether something is to be read there; not more than its beginning is fetched."""
    try:
        with asked.client.body(url) as body:
            return bool(body.read(1))
    except HttpError as error:
        if error.status in _GONE:
            return False
        raise


def row(asked: Any, url: str) -> Mapping[str, Any] | None:
    """An object; None where there is none, or where our token does not see it."""
    try:
        found: Mapping[str, Any] = asked.row(url)
    except HttpError as error:
        if error.status in _GONE:
            return None
        raise
    return found


def lost(asked: Any, what: str, around: str) -> Sight:
    """What was not found: gone, if what it was in can be seen; else it may be hidden from us."""
    if row(asked, around) is None:
        return Sight(there=There.UNSEEN, how=f"{what} for our token, nor what it was in (404)")
    return Sight(there=There.NO, how=f"{what} any more (404)")


@contextmanager
def _asking(target: str) -> Iterator[Any]:
    """The keeper of a target, and what goes wrong in the engine's words."""
    try:
        asked = provider_asked(target)
    except (UsageError, ImportError) as error:
        raise StepFailed(f"{target} names no log", remedy="delete it by hand") from error
    try:
        yield asked
    except (HttpError, SourceError) as error:
        raise told(error) from None
    except (ValueError, IndexError) as error:  # too few names
        raise StepFailed(f"{target} names no log", remedy="delete it by hand") from error
    finally:
        asked.client.close()


def told(error: SourceError) -> Exception:
    """What went wrong at a keeper, in the engine's words."""
    status = error.status if isinstance(error, HttpError) else _BROKEN - 1
    if status in {0, _BUSY} or status >= _BROKEN:
        return Retryable(str(error), after=_AGAIN)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return StepFailed(
            str(error),
            remedy="give a token that may delete logs ([hosts] in stanch.toml, docs/logs.md), "
            "then `stanch respond` the incident again; or delete it by hand",
        )
    return StepFailed(str(error), remedy="look at it yourself, and delete it by hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All logs of a copy, one behind the other; ``unread`` is why that is not all."""

    data: bytes
    unread: tuple[str, ...]


def read_logs(target: str) -> Reading:
    """The logs as they are kept, without artifacts. Raises as a scan does not: Retryable."""
    pieces: list[bytes] = []
    unread: list[str] = []
    left = LARGEST
    logs = logs_kept(target)
    try:
        for batch in logs.batches():
            if isinstance(batch, Gap):
                unread += [f"{batch.path}: {batch.why}"] if batch.incomplete else []
                continue
            for log in batch if isinstance(batch, tuple) else ():
                if log.files:
                    continue
                with log.open() as file:
                    data = file.read(left + 1)
                if len(data) > left:
                    unread.append(f"{log.place.path}: more than {LARGEST >> 20} MiB in all")
                    data = data[:left]
                left -= len(data)
                pieces.append(f"==> {log.place.path} <==\n".encode() + data.rstrip(b"\n") + b"\n")
    except SourceError as error:
        raise told(error) from None
    finally:
        logs.close()
    return Reading(data=b"\n".join(pieces), unread=tuple(unread))


@dataclass(frozen=True, slots=True)
class Keepers:
    """All keepers by the name in their targets. Nothing is open until somebody is asked."""

    by_name: Mapping[str, Keeper]

    def of(self, target: str) -> Keeper | None:
        """Who keeps it; None where no log can be deleted by us."""
        kind, _, rest = target.partition(":")
        return self.by_name.get(rest.partition("/")[0]) if kind == "log" else None

    def identity(self) -> str:
        """Each has its own."""
        return "the tokens of [hosts]"

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        """Nothing says so without using it."""
        del parts
        return True

    def close(self) -> None:
        """Nothing is open."""
