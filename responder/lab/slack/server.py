"""The workspace behind real HTTP and WebSocket, on a free port of 127.0.0.1, in one thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from stanch.responder.lab.slack.argument import bearer, parse_arguments
from stanch.responder.lab.slack.envelope import Exchange
from stanch.responder.lab.slack.fault import (
    Broken,
    Fault,
    LostAnswer,
    RateLimited,
    Refused,
    Unreachable,
)
from stanch.responder.lab.slack.method import answer
from stanch.responder.lab.slack.world import Call, Whisper, World

_T = TypeVar("_T")
_LOST = {"x-lab-drop": "1"}  # tells Dropper to cut the connection instead of answering


class Server:
    """Runs the event loop; ``call`` lets other threads act on it."""

    def __init__(self, world: World, *, deadline: float) -> None:
        self.world = world
        self.exchange = Exchange(deadline=deadline)
        self.changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            _Dropper(self._routes()),
            ws="websockets-sansio",  # the only one of uvicorn's that uses no legacy API
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Announced(config)
        self._thread = threading.Thread(target=self._run, name="slack-lab", daemon=True)

    def start(self) -> None:
        """Start serving; returns when requests are answered."""
        self._thread.start()
        if not self._server.ready.wait(10):
            raise RuntimeError("the local Slack did not start within 10 s")

    def stop(self) -> None:
        """Close every socket and wait for the thread to end."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the server's loop and wait for its result."""
        if self._loop is None:
            raise RuntimeError("the local Slack is not running")
        done = asyncio.run_coroutine_threadsafe(work, self._loop).result()
        self.announce()
        return done

    def announce(self) -> None:
        """Wake everybody who waits for a change."""
        with self.changed:
            self.changed.notify_all()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve(sockets=[self._socket]))

    def _routes(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/api/{method:path}", self._api, methods=["GET", "POST"]),
                Route("/response/{hook}", self._respond, methods=["POST"]),
                WebSocketRoute("/link/", self._link),
            ]
        )

    async def _api(self, request: Request) -> Response:
        name = request.path_params["method"]
        body = await request.body()
        arguments = parse_arguments(request, body)
        self.world.calls.append(Call(method=name, arguments=arguments, body=body))
        fault = self.world.next_fault(name)
        early = _early(fault)
        if early is None:
            result = answer(self.world, name, arguments, bearer(request, arguments))
            if "ticket" in result:
                result["url"] = f"ws://127.0.0.1:{self.port}/link/?ticket={result.pop('ticket')}"
            headers = {"x-oauth-scopes": ",".join(sorted(self.world.scopes))}
            lost = isinstance(fault, LostAnswer)
            early = JSONResponse(result, headers=_LOST if lost else headers)
        self.announce()
        return early

    async def _respond(self, request: Request) -> Response:
        hook = self.world.hooks.get(request.path_params["hook"])
        body = await request.body()
        arguments = parse_arguments(request, body)
        self.world.calls.append(Call(method="response_url", arguments=arguments, body=body))
        if hook is None or hook.left == 0:
            return PlainTextResponse("used_url", status_code=404)
        hook.left -= 1
        self.world.whispers.append(
            Whisper(
                channel=hook.channel,
                user=hook.user,
                text=arguments.get("text", ""),
                blocks=arguments.get("blocks"),
            )
        )
        self.announce()
        return PlainTextResponse("ok")

    async def _link(self, link: WebSocket) -> None:
        ticket = link.query_params.get("ticket", "")
        if ticket not in self.world.tickets:
            await link.close(code=1008)
            return
        self.world.tickets.remove(ticket)
        await self.exchange.serve(link)


def _early(fault: Fault | None) -> Response | None:
    """The answer of a fault that keeps the call from having any effect."""
    match fault:
        case RateLimited(after=after):
            content = {"ok": False, "error": "ratelimited"}
            return JSONResponse(content, status_code=429, headers={"Retry-After": str(after)})
        case Refused(error=error):
            return JSONResponse({"ok": False, "error": error})
        case Unreachable():
            return JSONResponse({}, headers=_LOST)
        case Broken():
            return PlainTextResponse("<html>upstream unavailable</html>", status_code=503)
        case LostAnswer() | None:
            return None


class _Announced(uvicorn.Server):
    """Says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()


class _Dropper:
    """Cuts the connection where the application marked its answer as lost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, except answers that carry the mark."""
        dropped = False

        async def sent(message: Any) -> None:
            nonlocal dropped
            mark = (b"x-lab-drop", b"1")
            if message["type"] == "http.response.start" and mark in message["headers"]:
                dropped = True
                # ASGI has no word for "hang up"; uvicorn's request cycle holds the transport.
                send.__self__.transport.abort()  # type: ignore[attr-defined]
            if not dropped:
                await send(message)

        await self._app(scope, receive, sent)
        if dropped:
            await receive()  # returns http.disconnect once the transport is gone
