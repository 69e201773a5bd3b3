"""The door in front of MiniStack: notes every call, writes the trail, injects faults."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from stanch.responder.lab.aws.server import event
from stanch.responder.lab.aws.server.call import Call, Request, understand
from stanch.responder.lab.aws.server.control import Control
from stanch.responder.lab.aws.server.fault import Mode
from stanch.responder.lab.aws.server.journal import redact
from stanch.responder.lab.aws.server.state import Note, State, note

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SOURCE_IP_HEADER = "x-lab-source-ip"
_SUCCESS = 400  # below this an act took place


class Answer:
    """Holds a response back until the gate has seen it whole."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = b""

    async def take(self, message: Message) -> None:
        """Stand in for ASGI's send."""
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def give(self, send: Send) -> None:
        """Send what was held."""
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.start["status"])


class Gate:
    """The ASGI application that the lab serves."""

    def __init__(self, ministack: Any, state: State, control: Control) -> None:
        self._ministack = ministack
        self._state = state
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but HTTP is refused."""
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        answer = Answer()
        if request.path.startswith("/_lab/"):
            await self._control.answer(request, answer.take)
        elif request.path.startswith(("/_", "/health")):
            _fill(answer, 404, {}, b"")  # MiniStack's own back doors stay shut
        else:
            await self._serve(scope, request, answer, send)
        if answer.start:
            await answer.give(send)

    async def _serve(self, scope: Scope, request: Request, answer: Answer, send: Send) -> None:
        call = understand(request, self._ministack)
        source_ip = _source_ip(scope, request)
        mode = self._state.faults.take(call.service, call.api)
        taken = Note()
        at = self._state.clock()
        if mode in (None, Mode.LOST_ANSWER):
            await self._perform(scope, request, call, source_ip, taken, answer)
        elif mode is not Mode.LOST_REQUEST:
            self._refuse(call, request, mode, answer)
        self._record(call, taken, answer, source_ip=source_ip, at=at, mode=mode)
        if mode in (Mode.LOST_REQUEST, Mode.LOST_ANSWER):
            answer.start = {}
            await _hang_up(send)

    async def _perform(
        self,
        scope: Scope,
        request: Request,
        call: Call,
        source_ip: str,
        taken: Note,
        answer: Answer,
    ) -> None:
        if call.service == "s3" and not call.access_key_id:
            # MiniStack serves unsigned S3 requests; no bucket of the lab is public.
            self._deny(call, request, answer)
            return
        inner = {**scope, "client": (source_ip, 0)}
        token = note.set(taken)
        try:
            await self._ministack.app.app(inner, _replay(request.body), answer.take)
        finally:
            note.reset(token)

    def _record(
        self,
        call: Call,
        taken: Note,
        answer: Answer,
        *,
        source_ip: str,
        at: float,
        mode: Mode | None,
    ) -> None:
        answered = bool(answer.start)
        status = answer.status if answered else 0
        code = event.error_of(status, answer.body)[0] if answered else "RequestLost"
        performed = mode in (None, Mode.LOST_ANSWER) and status < _SUCCESS
        self._state.journal.add(
            at=at,
            service=call.service,
            api=call.api,
            region=call.region,
            access_key_id=call.access_key_id,
            source_ip=source_ip,
            params=redact(call.params),
            status=status,
            error=code,
            fault=mode.value if mode else None,
            performed=performed,
        )
        # A call that failed authentication has no identity, so CloudTrail does not know it.
        if answered and taken.caller and not taken.refused and event.is_recorded(call):
            written = event.write(
                call, taken.caller, source_ip=source_ip, at=at, answer=(status, answer.body)
            )
            self._state.trail.record(event.region_of(call), written)

    def _refuse(self, call: Call, request: Request, mode: Mode, answer: Answer) -> None:
        throttled = mode is Mode.THROTTLE
        is_json = "x-amz-target" in request.headers
        if call.service == "s3":
            status, code = (503, "SlowDown") if throttled else (500, "InternalError")
        elif throttled:
            status, code = 400, "ThrottlingException" if is_json else "Throttling"
        else:
            status, code = 500, "InternalFailure"
        self._error(call, request, answer, status, code, "Rate exceeded" if throttled else code)

    def _deny(self, call: Call, request: Request, answer: Answer) -> None:
        self._error(call, request, answer, 403, "AccessDenied", "Access Denied")

    def _error(
        self, call: Call, request: Request, answer: Answer, status: int, code: str, message: str
    ) -> None:
        _, headers, body = self._ministack.iam_actions.access_denied_response(
            call.service,
            call.api,
            "",
            "lab",
            error_code=code,
            message=message,
            headers=dict(request.headers),
        )
        _fill(answer, status, headers, body)


def _fill(answer: Answer, status: int, headers: dict[str, str], body: bytes) -> None:
    answer.start = {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        + [(b"content-length", str(len(body)).encode())],
    }
    answer.body = body


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers=headers,
        body=body,
    )


def _replay(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _source_ip(scope: Scope, request: Request) -> str:
    claimed = request.headers.get(SOURCE_IP_HEADER)
    if claimed:
        with suppress(ValueError):  # not an address: the real one stands
            return str(ipaddress.ip_address(claimed.strip()))
    return str((scope.get("client") or ("127.0.0.1",))[0])


async def _hang_up(send: Any) -> None:
    """Reset the connection. The transport is uvicorn's: ASGI has no word for this."""
    transport = send.__self__.transport
    connection: socket.socket = transport.get_extra_info("socket")
    # Lingering for zero seconds makes the kernel send RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    send.__self__.disconnected = True  # else uvicorn answers 500 in our place
