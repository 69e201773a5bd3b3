"""GitHub's REST interface: who a token is, and revoking it.

https://docs.github.com/en/rest/credentials/revoke and
https://docs.github.com/en/rest/apps/installations
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import urllib3

from stanch.responder.domain.claim import Validity
from stanch.responder.domain.error import ConfigError, Retryable, StepFailed
from stanch.scanner.model.secret import SecretValue

_PUBLIC = "api.github.com"
_AGAIN = timedelta(seconds=5)
_LONGEST_PAUSE = 300
_BODY = 1_000_000  # bytes of an answer that are read
_OK, _ACCEPTED, _GONE, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 200, 202, 204, 401, 403, 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What GitHub says about a token."""

    validity: Validity
    detail: str
    login: str = ""
    scopes: tuple[str, ...] = ()


class Github:
    """Our hands at GitHub. Needs no identity of its own on github.com."""

    def __init__(self, api_url: str, *, owners: tuple[str, ...], token: SecretValue | None) -> None:
        parts = urlsplit(api_url)
        loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not parts.hostname or (parts.scheme != "https" and not loopback):
            raise ConfigError(
                f"github.api_url: {api_url!r} is not an https address",
                remedy="write https://api.github.com, or https://HOST/api/v3",
            )
        self.owners = frozenset(owner.lower() for owner in owners)
        self.public = parts.hostname == _PUBLIC
        self._base = api_url.rstrip("/")
        self._token = token
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=3, read=10), retries=False, maxsize=8
        )

    def identity(self) -> str:
        """Nobody: what we do here is done with the leaked token, or without any."""
        return "no identity is needed"

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        """Nothing says so without using it."""
        del parts
        return True

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def whose(self, token: SecretValue, *, path: str, agent: str) -> Sight:
        """Try the token with a read that everybody may do."""
        try:
            status, headers, body = self._ask("GET", path, agent=agent, token=token)
        except Retryable as error:
            return Sight(validity=Validity.UNREACHABLE, detail=str(error))
        if status == _OK:
            scopes = tuple(s.strip() for s in headers.get("x-oauth-scopes", "").split(",") if s)
            login = _owner(body)
            detail = f"GET {path} answered 200"
            return Sight(validity=Validity.LIVE, detail=detail, login=login, scopes=scopes)
        if status == _UNAUTHORIZED:
            return Sight(validity=Validity.DEAD, detail=f"GET {path} answered 401")
        # 403 and 429 speak of limits and allow-lists, not of the token.
        return Sight(validity=Validity.REFUSED, detail=f"GET {path} answered {status}")

    def revoke(self, token: SecretValue, *, agent: str) -> str:
        """Have GitHub revoke it, as whoever finds a token may; what was answered.

        Raises Retryable when the limit is reached, StepFailed when GitHub does not take it.
        """
        body = json.dumps({"credentials": [token.reveal().decode("ascii", "replace")]}).encode()
        ours = None if self.public else self._token
        path = "/credentials/revoke"
        status, headers, _ = self._ask("POST", path, agent=agent, token=ours, body=body)
        return _answered(f"POST {path}", status, headers)

    def revoke_installation(self, token: SecretValue, *, agent: str) -> str:
        """An installation token revokes itself."""
        path = "/installation/token"
        status, headers, _ = self._ask("DELETE", path, agent=agent, token=token)
        if status == _UNAUTHORIZED:
            return f"DELETE {path} answered 401: it was dead already"
        return _answered(f"DELETE {path}", status, headers)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        agent: str,
        token: SecretValue | None,
        body: bytes | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Accept": "application/vnd.github+json", "User-Agent": agent}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal().decode('ascii', 'replace')}"
        try:
            # Redirects are not followed: the token must reach nobody else.
            answer = self._pool.request(
                method,
                f"{self._base}{path}",
                headers=headers,
                body=body,
                redirect=False,
                preload_content=False,
            )
            read = answer.read(_BODY)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            # from None: the original's text may hold the request.
            raise Retryable(
                f"{method} {path}: no answer from GitHub ({type(error).__name__})", after=_AGAIN
            ) from None
        if answer.status >= _SERVER_ERROR:
            raise Retryable(f"{method} {path}: GitHub answered {answer.status}", after=_AGAIN)
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, lowered, read


def _answered(call: str, status: int, headers: Mapping[str, str]) -> str:
    if status in {_ACCEPTED, _GONE}:
        return f"{call} answered {status}"
    if status in {_FORBIDDEN, _TOO_MANY} and "retry-after" in headers:
        after = headers["retry-after"]
        seconds = int(after) if after.isdigit() else _LONGEST_PAUSE
        pause = timedelta(seconds=min(seconds, _LONGEST_PAUSE))
        raise Retryable(f"{call}: GitHub's limit is reached", after=pause)
    raise StepFailed(
        f"{call}: GitHub answered {status}",
        remedy="revoke the token in its owner's settings, then `stanch respond` the incident again",
    )


def _owner(body: bytes) -> str:
    """Whose it is: the user, or who owns what an installation reaches."""
    try:
        found: object = json.loads(body)
    except ValueError:
        return ""
    if isinstance(found, dict) and isinstance(found.get("repositories"), list):
        first: object = next(iter(found["repositories"]), None)
        found = first.get("owner") if isinstance(first, dict) else None
    login = found.get("login") if isinstance(found, dict) else None
    return login if isinstance(login, str) else ""
