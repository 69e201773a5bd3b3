"""How a registry is asked: anonymously, with a login, or with a token that it sends one to fetch.

A login is the operator's word for one host. It goes to that host, or to a token server that is the
same host or that has an entry of its own; never to whatever a registry calls its realm.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from stanch.scanner.local.hosts import Host, Hosts
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.sources.http.answer import Answer, HttpError
from stanch.scanner.sources.http.client import Client, named_host
from stanch.scanner.sources.image.challenge import Challenge, challenges
from stanch.scanner.sources.image.reference import Reference

_UNAUTHORIZED, _FORBIDDEN, _MISSING = 401, 403, 404
_LIFE = 60.0  # seconds of a token that does not say how long it lives
_EARLY = 10.0
_HUB_TOKENS = "auth.docker.io"
_HUB_ENTRIES = ("docker.io", "index.docker.io")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ECR = re.compile(
    r"\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
)


class Access:
    """Asks one repository of one registry; what it has learned about getting in, it keeps."""

    def __init__(self, reference: Reference, hosts: Hosts) -> None:
        self._reference = reference
        self._hosts = hosts
        self._client = self._connected()
        self._process = os.getpid()
        self._header: str | None = None
        self._until = 0.0
        self._challenge: Challenge | None = None

    @property
    def client(self) -> Client:
        """Connections of this process: a forked one must not use its parent's."""
        if self._process != os.getpid():
            self._process, self._client = os.getpid(), self._connected()
        return self._client

    def get(self, path: str, accept: str, *, missing: bool = False) -> Answer:
        """An answer below the repository; with ``missing`` 404 is one too."""
        url = f"{self._reference.base}/{path}"
        accepted = (_UNAUTHORIZED, _MISSING) if missing else (_UNAUTHORIZED,)
        for _ in range(2):
            headers = {**self.headers(), "Accept": accept}
            answer = self.client.ask("GET", url, headers=headers, accepted=accepted)
            if answer.status != _UNAUTHORIZED or not self._enter(answer):
                break
        if answer.status == _UNAUTHORIZED:
            raise self._refused()
        return answer

    def headers(self) -> Mapping[str, str]:
        """What to send now; a token that is about to expire is fetched anew."""
        if self._challenge is not None and time.monotonic() > self._until:
            self._fetch(self._challenge)
        return {"Authorization": self._header} if self._header else {}

    def close(self) -> None:
        """Close this process's connections."""
        self.client.close()

    def _connected(self) -> Client:
        # No login goes anywhere by itself: each is put where it belongs, below.
        return Client.of(self._hosts, named=(self._reference.host,), authorize=lambda _: {})

    def _enter(self, answer: Answer) -> bool:
        """Take up what the registry asks for; false when there is nothing that we have."""
        asked = {
            each.scheme: each for each in challenges(answer.headers.get("www-authenticate", ""))
        }
        if (bearer := asked.get("bearer")) is not None:
            if (token := self._entry().token) and self._header is None and _is_safe(answer.url):
                secret = self._entry().secret(os.environ)
                if token and secret is not None:
                    self._header = f"Bearer {secret.reveal().decode('latin-1')}"
                    return True
            return self._fetch(bearer)
        if "basic" not in asked or self._header is not None or not _is_safe(answer.url):
            return False
        self._header = self._login(self._entry())
        return self._header is not None

    def _fetch(self, challenge: Challenge) -> bool:
        """Fetch a token from where the registry says, for reading this repository."""
        realm = challenge.parameters.get("realm", "")
        asked = {
            "service": challenge.parameters.get("service", ""),
            "scope": f"repository:{self._reference.name}:pull",
        }
        parts = urlsplit(realm)
        query = dict(parse_qsl(parts.query)) | {k: v for k, v in asked.items() if v}
        url = urlunsplit(parts._replace(query=urlencode(query), fragment=""))
        entry = self._for_realm(named_host(url))
        login = self._login(entry) if entry and _is_safe(url) else None
        given = self.client.get(url, headers={"Authorization": login} if login else {}).json()
        said: dict[str, Any] = given if isinstance(given, dict) else {}
        token, life = said.get("token") or said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            return False
        self._header, self._challenge = f"Bearer {token}", challenge
        seconds = float(life) if isinstance(life, int | float) and life > 0 else _LIFE
        self._until = time.monotonic() + max(1.0, seconds - _EARLY)
        return True

    def _for_realm(self, realm: str) -> Host | None:
        """Whose login a token server gets; None for nobody's."""
        ours = realm == self._reference.host
        hub = self._reference.is_hub and realm == _HUB_TOKENS
        if ours or hub:
            return self._hosts.named.get(realm) or self._entry()
        # What a token server gives for a login goes to the registry, which must be trusted, too.
        return self._hosts.named.get(realm) if self._is_named else None

    @property
    def _is_named(self) -> bool:
        """Whether the operator has an entry for the registry itself."""
        names = (self._reference.host, *(_HUB_ENTRIES if self._reference.is_hub else ()))
        return any(name in self._hosts.named for name in names)

    def _entry(self) -> Host:
        names = (self._reference.host, *(_HUB_ENTRIES if self._reference.is_hub else ()))
        known = (self._hosts.named[name] for name in names if name in self._hosts.named)
        return next(known, None) or self._hosts.of(self._reference.host)

    def _login(self, entry: Host) -> str | None:
        """The header of a login; of a token alone the user's name does not matter."""
        secret = entry.secret(os.environ)
        user = entry.user or "token"
        if secret is None:
            found = self._ecr()
            if found is None:
                return None
            user, secret = found
        both = f"{user}:".encode() + secret.reveal()
        return f"Basic {base64.b64encode(both).decode()}"

    def _ecr(self) -> tuple[str, SecretValue] | None:
        found = _ECR.fullmatch(self._reference.host)
        if found is None:
            return None
        from stanch.scanner.sources.image.ecr import login  # noqa: PLC0415  # loads boto3

        return login(found[1])

    def _refused(self) -> HttpError:
        host = self._reference.host
        entry = f'[hosts."{host}"] user = "…" and password = "env:NAME" in stanch.toml'
        return HttpError(
            f"{host} does not let us read {self._reference.name} (401): private, or not there",
            remedy=f"mend the name, or give a login for it: {entry}",
            status=_UNAUTHORIZED,
        )


def _is_safe(url: str) -> bool:
    """Whether a login may go there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def header_source(access: Access) -> Mapping[str, str]:
    """Headers that are asked for anew each time they are sent."""
    return _Headers(access)


class _Headers(Mapping[str, str]):
    def __init__(self, access: Access) -> None:
        self._access = access

    def __getitem__(self, name: str) -> str:
        return self._access.headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._access.headers())

    def __len__(self) -> int:
        return len(self._access.headers())
