"""The lab's own switches, under ``/_lab/``: JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from stanch.responder.lab.aws.server.call import Request
from stanch.responder.lab.aws.server.fault import Fault, Mode
from stanch.responder.lab.aws.server.propagation import Propagation
from stanch.responder.lab.aws.server.state import State


class Control:
    """Answers ``GET /_lab/calls`` and ``POST /_lab/{propagation,trail,fault,reset}``."""

    def __init__(
        self, state: State, propagation: Propagation, wipe: Callable[[], Awaitable[None]]
    ) -> None:
        self._state = state
        self._propagation = propagation
        self._wipe = wipe

    async def answer(self, request: Request, send: Callable[[Any], Awaitable[None]]) -> None:
        """Answer one control request; what is not understood gets 400 with the reason."""
        name = request.path.removeprefix("/_lab/")
        try:
            status, body = 200, await self._do(request.method, name, request)
        except (KeyError, TypeError, ValueError) as err:
            status, body = 400, {"error": f"{type(err).__name__}: {err}"}
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    async def _do(self, method: str, name: str, request: Request) -> Any:
        asked = json.loads(request.body) if request.body else {}
        match method, name:
            case "GET", "calls":
                api = request.query.get("api", [None])[0]
                return self._state.journal.select(
                    api=api, since=int(request.query.get("since", ["0"])[0])
                )
            case "GET", "settings":
                return {"propagation": self._state.delay, "trail_lag": self._state.trail.lag}
            case "POST", "propagation":
                self._propagation.settle()
                self._state.delay = _seconds(asked["seconds"])
                return {"propagation": self._state.delay}
            case "POST", "trail":
                self._state.trail.lag = _seconds(asked["lag_seconds"])
                return {"trail_lag": self._state.trail.lag}
            case "POST", "fault":
                fault = Fault(**{**asked, "mode": Mode(asked["mode"])})
                self._state.faults.waiting.append(fault)
                return {"waiting": len(self._state.faults.waiting)}
            case "POST", "reset":
                await self._wipe()
                return {"reset": True}
            case _:
                raise ValueError(f"no switch {method} {name}")


def _seconds(value: Any) -> float:
    seconds = float(value)
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    return seconds
