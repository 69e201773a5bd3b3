"""Socket Mode: each envelope goes to one socket, and must be acknowledged in time."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one envelope. ``seconds`` is how long the app took to acknowledge it.

    ``acked`` is False when nobody was connected or the deadline passed: the person then sees
    Slack's own error. ``payload`` is what the acknowledgement carried.
    """

    kind: str
    acked: bool
    seconds: float
    payload: Any


@dataclass(slots=True, kw_only=True)
class Exchange:
    """The open sockets of one app. Lives on the server's event loop."""

    deadline: float
    sockets: list[WebSocket] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    async def serve(self, socket: WebSocket) -> None:
        """Say hello and take acknowledgements until the app goes away."""
        await socket.accept()
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1})
        self.sockets.append(socket)
        self.connected.set()
        try:
            while True:
                self._acknowledge(await socket.receive_json())
        except WebSocketDisconnect:
            return
        finally:
            if socket in self.sockets:
                self.sockets.remove(socket)

    def _acknowledge(self, frame: Any) -> None:
        self.frames.append(repr(frame).encode())
        answered = self.waiting.pop(frame.get("envelope_id", ""), None)
        if answered is not None and not answered.done():
            answered.set_result(frame.get("payload"))

    async def deliver(self, kind: str, payload: dict[str, Any]) -> Delivery:
        """Send one envelope to one socket and wait for its acknowledgement."""
        start = time.monotonic()
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        envelope_id = secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": True,
        }
        acked, content = False, None
        if self.sockets:
            self.waiting[envelope_id] = answered
            await self.sockets[next(self._turn) % len(self.sockets)].send_json(envelope)
            try:
                content = await asyncio.wait_for(answered, self.deadline)
                acked = True
            except TimeoutError:
                self.waiting.pop(envelope_id, None)
        done = Delivery(kind=kind, acked=acked, seconds=time.monotonic() - start, payload=content)
        self.deliveries.append(done)
        return done

    async def refresh(self) -> None:
        """Tell every socket that it will be closed and close it once the app has a new one.

        Slack does so every few hours.
        """
        old = tuple(self.sockets)
        self.connected.clear()
        for socket in old:
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
        await asyncio.wait_for(self.connected.wait(), 10)
        for socket in old:
            await socket.close()
            if socket in self.sockets:
                self.sockets.remove(socket)
