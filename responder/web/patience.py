"""How long the web door waits for somebody who says nothing, and how many of them it keeps.

A connection costs a file, of which a process has about a thousand. Uvicorn waits for the first
request for ever; here who sends no headers is sent away, and in a crowd the longest silent first.
"""

from __future__ import annotations

import asyncio
from itertools import count

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
MOST = 400  # connections at a time; far below any process's limit of files
_NUMBERS = count()


class Patience(H11Protocol):
    """HTTP/1.1 with an end to waiting."""

    number = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # so uvicorn
        """Somebody is there."""
        super().connection_made(transport)
        self.number = next(_NUMBERS)
        self.loop.call_later(HEADER_SECONDS, self._give_up)
        if len(self.connections) > MOST:
            mine: list[Patience] = [c for c in self.connections if isinstance(c, Patience)]
            silent = [each for each in mine if each.silent()]
            if silent:
                min(silent, key=_age).transport.close()

    def silent(self) -> bool:
        """No request has come yet, and the connection stands."""
        return getattr(self, "cycle", None) is None and not self.transport.is_closing()

    def _give_up(self) -> None:
        if self.silent():
            self.transport.close()


def _age(connection: Patience) -> int:
    return connection.number
