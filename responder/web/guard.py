"""Who may read the pages, and what a browser may do with them."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stanch.responder.domain.error import ConfigError
from stanch.responder.web.hook import PREFIX
from stanch.scanner.model.secret import SecretValue

OPEN = frozenset({"/healthz", "/readyz"})  # they say yes or no, and a probe holds no token
_SHORTEST = 20
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_NOTHING = "base-uri 'none'; default-src 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY = f"{_NOTHING}; style-src 'self'"
# A postmortem is one file that must also open from a disk, so its style stands inside it.
SELF_CONTAINED = f"{_NOTHING}; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Door:
    """The token that opens the pages; None only when this machine alone can reach them."""

    token: SecretValue | None

    def opens(self, header: str) -> bool:
        """True for ``Bearer <token>``, and for ``Basic`` with the token as the password.

        Basic is what a browser asks a person for by itself, without a cookie that another site
        could ride on.
        """
        if self.token is None:
            return True
        scheme, _, given = header.partition(" ")
        match scheme.lower():
            case "bearer":
                offered = given.strip().encode()
            case "basic":
                offered = _password(given)
            case _:
                return False
        return hmac.compare_digest(offered, self.token.reveal())


def make_door(token: SecretValue | None, *, host: str) -> Door:
    """The door for an address to listen on. Raises ConfigError for one that would stand open."""
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"without a token the pages would be open to everybody who reaches {host}",
            remedy='set [web] token = "file:/path", or listen on 127.0.0.1',
        )
    if token is not None and len(token) < _SHORTEST:
        raise ConfigError(
            f"the web token has fewer than {_SHORTEST} characters",
            remedy="make one with `openssl rand -hex 32`",
        )
    return Door(token)


def is_loopback(host: str) -> bool:
    """True when only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Asks for the token, and sends every answer with headers that forbid what no page needs."""

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", POLICY)
                headers.update(_HEADERS)
            await send(message)

        header = HTTPConnection(scope).headers.get("authorization", "")
        if scope["path"] in OPEN or scope["path"].startswith(PREFIX) or self._door.opens(header):
            await self._app(scope, receive, guarded)
            return
        asking = {"www-authenticate": 'Basic realm="stanch", charset="UTF-8"'}
        refusal = PlainTextResponse("The token is missing or wrong.\n", 401, asking)
        await refusal(scope, receive, guarded)


def _password(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
