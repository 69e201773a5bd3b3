"""The door for webhooks of hosts: a bounded body, a verdict, and an answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PREFIX = "/hooks/"  # no token opens it: who sends a webhook proves himself by his signature
LARGEST = 8 << 20
"""Bytes of a body. What is larger, looking now and then finds."""

SECONDS = 10.0  # for a body to come
MOST = 24  # bodies that are held at a time

Take = Callable[[str, Mapping[str, str], bytes], tuple[int, str]]
"""Takes a delivery for a name, with its headers in lower case; a status and a line of text."""


def hook_route(take: Take) -> Route:
    """Where webhooks are sent to."""
    return Route(f"{PREFIX}{{name}}", _Hook(take).answer, methods=["POST"])


class _Hook:
    def __init__(self, take: Take) -> None:
        self._take = take
        self._held = 0

    async def answer(self, request: Request) -> Response:
        if self._held >= MOST:
            return PlainTextResponse("not now\n", 503, {"retry-after": "10"})
        self._held += 1
        try:
            async with asyncio.timeout(SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("too slow\n", 408)
        finally:
            self._held -= 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        name = str(request.path_params["name"])
        status, said = await run_in_threadpool(self._take, name, headers, body)
        return PlainTextResponse(f"{said}\n", status)


async def _body(request: Request) -> bytes:
    size = request.headers.get("content-length", "0")
    if not size.isdecimal() or len(size) > 12 or int(size) > LARGEST:  # noqa: PLR2004  # digits
        raise HTTPException(413)
    parts, left = [], LARGEST
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts)
