"""A streamed answer: a connection that breaks is taken up where it broke."""

from __future__ import annotations

from collections.abc import Callable

import urllib3
from urllib3.exceptions import HTTPError

from stanch.scanner.sources.http.answer import HttpError

_TRIES = 4
_WHOLE, _PARTIAL = 200, 206
_DIGITS = 20  # more than any size has


def is_rest(response: urllib3.BaseHTTPResponse, offset: int) -> bool:
    """Whether an answer is what was asked for: all of it, or all from an offset on."""
    if response.status == _WHOLE:
        return True
    span = response.headers.get("content-range", "").lower()
    return bool(offset) and response.status == _PARTIAL and span.startswith(f"bytes {offset}-")


class Body:
    """Bytes as they were sent, never decoded. ``size`` is what the host says, None if it does not.

    ``opened`` asks for the rest from an offset on.
    """

    def __init__(self, opened: Callable[[int], urllib3.BaseHTTPResponse], host: str) -> None:
        self._opened = opened
        self._host = host
        self._offset = 0
        self._tries = _TRIES
        self._response = opened(0)
        length = self._response.headers.get("content-length", "")
        self.size = int(length) if length.isdecimal() and len(length) < _DIGITS else None
        self.headers = {k.lower(): v for k, v in self._response.headers.items()}

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; nothing at the end. Raises :class:`HttpError` when it broke off."""
        while True:
            try:
                data = self._response.read(size, decode_content=False)
            except HTTPError as error:
                self._resume(error)
                continue
            if not data and self.size is not None and self._offset < self.size:
                self._resume(EOFError())
                continue
            self._offset += len(data)
            return data

    def close(self) -> None:
        """Give the connection up; it may hold more than was read."""
        self._response.close()
        self._response.release_conn()

    def _resume(self, cause: Exception) -> None:
        self.close()
        self._tries -= 1
        if not self._tries:
            raise self._broken(cause)
        self._response = self._opened(self._offset)
        if self._offset and self._response.status != _PARTIAL:
            self._skip(cause)

    def _skip(self, cause: Exception) -> None:
        """The host knows no ranges: what was read is read again."""
        left = self._offset
        while left:
            try:
                data = self._response.read(min(left, 1 << 16), decode_content=False)
            except HTTPError as error:
                raise self._broken(error) from error
            if not data:
                raise self._broken(cause)
            left -= len(data)

    def _broken(self, cause: Exception) -> HttpError:
        return HttpError(
            f"{self._host} breaks off after {self._offset} bytes ({type(cause).__name__})",
            remedy="ask again; what was read up to there was scanned",
        )
