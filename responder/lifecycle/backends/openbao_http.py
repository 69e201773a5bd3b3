"""One request to OpenBao or Vault, and what its status means."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    NotGiven,
    Unreachable,
)
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.scanner.model.secret import SecretValue

_LARGEST = 4 << 20  # bytes; an answer of KV v2 is far smaller
_SAID = 200  # characters of an error that are passed on
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenbaoSettings:
    """Where the server is. ``token`` is asked for at each request: its file may be rewritten."""

    url: str
    mount: str
    token: Callable[[], SecretValue]
    namespace: str = ""
    ca_file: str = ""
    connect_seconds: float = 3.0
    read_seconds: float = 15.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query:
            raise SecretsConfigError(
                "[openbao] url is no address of a server", remedy="write https://HOST:8200"
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise SecretsConfigError(
                f"[openbao] url: {parts.hostname} would get token and secrets unencrypted",
                remedy="use https://, or a server on this machine",
            )


@dataclass(frozen=True, slots=True)
class Openbao:
    """Requests below one mount. Follows no redirect: the token is for this host alone."""

    settings: OpenbaoSettings
    pool: urllib3.PoolManager = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        object.__setattr__(
            self,
            "pool",
            urllib3.PoolManager(
                timeout=urllib3.Timeout(
                    connect=settings.connect_seconds, read=settings.read_seconds
                ),
                retries=False,
                ca_certs=settings.ca_file or None,
            ),
        )

    def ask(
        self, method: str, kind: str, path: str, body: Any = None, *, query: str = ""
    ) -> Any | NotGiven | Conflict:
        """``kind``: ``data``, ``metadata`` or ``destroy`` of KV v2; gives what is in the answer."""
        place = f"/v1/{quote(self.settings.mount)}/{kind}/{quote(path)}"
        try:
            answer = self.pool.request(
                method,
                self.settings.url.rstrip("/") + place + (f"?{query}" if query else ""),
                headers=self._headers(method),
                body=None if body is None else json.dumps(body),
                redirect=False,
                preload_content=False,
            )
            try:
                data = answer.read(_LARGEST + 1)
            finally:
                answer.release_conn()
        except HTTPError as error:
            # Its text has the address; the class is what counts.
            return Unreachable(why=f"{method} {place}: {type(error).__name__}: no answer")
        return _meaning(f"{method} {place}", answer.status, data)

    def close(self) -> None:
        """Close all connections."""
        self.pool.clear()

    def _headers(self, method: str) -> dict[str, str]:
        merge = "application/merge-patch+json" if method == "PATCH" else "application/json"
        token = self.settings.token().reveal().decode("ascii")
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true", "Content-Type": merge}
        if self.settings.namespace:
            headers["X-Vault-Namespace"] = self.settings.namespace
        return headers


def _meaning(what: str, status: int, data: bytes) -> Any | NotGiven | Conflict:
    if status == HTTPStatus.NO_CONTENT:
        return {}
    found = _parsed(data)
    if found is None:
        return Unreachable(why=f"{what}: an answer ({status}) that is not OpenBao's")
    said = "; ".join(map(str, found.get("errors") or ()))[:_SAID]
    if status == HTTPStatus.OK:
        return found.get("data") or {}
    return _no(what, status, said)


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) and len(data) <= _LARGEST else None


def _no(what: str, status: int, said: str) -> NotGiven | Conflict:
    if status == HTTPStatus.NOT_FOUND and not said:
        return Absent(why=f"{what}: there is none")
    if status == HTTPStatus.BAD_REQUEST and "check-and-set" in said:
        return Conflict(why=said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return Unreachable(why=f"{what}: {status} {said}".rstrip())
    return _denied(what, status, said)


def _denied(what: str, status: int, said: str) -> Denied:
    if status == HTTPStatus.FORBIDDEN:
        return Denied(
            why=f"{what}: permission denied",
            remedy="renew the token of [openbao], or allow its policy this path",
        )
    return Denied(
        why=f"{what}: {status} {said}".rstrip(),
        remedy="correct url, mount and namespace of [openbao] in stanch.toml",
    )
