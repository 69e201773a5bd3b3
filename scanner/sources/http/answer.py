"""What a host answers, and what can go wrong on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.json_size import values

_LATEST = 4e9  # seconds since the epoch
_MOST = 2_000_000  # values in an answer, each of which takes some fifty bytes
_NEXT = re.compile(r'<([^<>]*)>\s*(?:;[^,<]*)?;\s*rel\s*=\s*"?next"?(?=[;,\s]|$)', re.IGNORECASE)


class HttpError(SourceError):
    """An answer that is none; ``status`` is 0 when there was no answer at all."""

    def __init__(self, message: str, *, remedy: str, status: int = 0) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class RateLimitedError(HttpError):
    """The host wants to be left alone for longer than we wait; ``until`` is when, in UTC."""

    def __init__(self, host: str, until: datetime) -> None:
        super().__init__(
            f"{host} takes no more requests until {until:%Y-%m-%d %H:%M:%S} UTC",
            remedy="ask again then; a token of your own raises most limits",
            status=429,
        )
        self.until = until


class Answer(Record):
    """A whole answer. ``url`` is the one that answered, after redirects."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str

    def json(self) -> object:
        """The body as JSON; raises :class:`HttpError` when it is none."""
        if values(self.body) > _MOST:
            remedy = "no such answer is expected: is that the right address?"
            raise HttpError(f"{self.url} answers with millions of values", remedy=remedy)
        try:
            found: object = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise HttpError(
                f"{self.url} did not answer with JSON", remedy="is that its address?"
            ) from error
        return found

    @property
    def next(self) -> str | None:
        """The address of the next page, as ``Link`` says (RFC 8288)."""
        found = _NEXT.search(self.headers.get("link", ""))
        return led(self.url, found[1]) if found else None


def led(url: str, where: str) -> str:
    """Where a host leads from an address; raises :class:`HttpError` when that is no address."""
    try:
        return urljoin(url, where)
    except ValueError as error:
        remedy = "nothing was sent there; its operator has to mend that"
        raise HttpError(f"{url} leads to what is no address", remedy=remedy) from error


def number(digits: str) -> float:
    """A number that a header gives, as large as a time may be."""
    return min(float(digits[:20]), _LATEST)


def instant(seconds: float) -> datetime:
    """A time that a header gives in seconds since the epoch."""
    return datetime.fromtimestamp(min(seconds, _LATEST), tz=UTC)
