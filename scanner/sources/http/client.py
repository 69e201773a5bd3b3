"""Asks other hosts: retries, waits as they want, and gives no host what belongs to another.

client = Client.of(operator_hosts(), named=("registry.example.com:5000",))
answer = client.get("https://registry.example.com:5000/v2/")
for page in client.pages("https://api.github.com/orgs/acme/repos"): ...
with client.body(url) as body: ...          # streamed; a broken connection is taken up again
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from stanch.scanner import __version__
from stanch.scanner.local.hosts import Host, Hosts
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record, fresh
from stanch.scanner.sources.http.answer import (
    Answer,
    HttpError,
    RateLimitedError,
    instant,
    led,
    number,
)
from stanch.scanner.sources.http.body import Body, is_rest
from stanch.scanner.sources.http.guard import ForbiddenAddressError, Pools
from stanch.scanner.sources.http.kept import Kept

_TRIES = 4
_REDIRECTS = 5
_PAGES = 10_000
_LARGEST = 32 << 20  # bytes of an answer that is held in memory
_BACK_OFF = 0.5  # seconds, doubled with each try
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SAFE = ("GET", "HEAD")
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_REDIRECTED = (301, 302, 303, 307, 308)
_NOT_MODIFIED, _UNAUTHORIZED, _FORBIDDEN, _MISSING, _BUSY, _BROKEN = 304, 401, 403, 404, 429, 500

Authorize = Callable[[Host], Mapping[str, str]]
"""The headers with which a host is asked, from what the operator says of it."""


def bearer(host: Host) -> Mapping[str, str]:
    """``Authorization: Bearer``, or ``Basic`` where there is a user."""
    secret = host.secret(os.environ)
    if secret is None:
        return _NO_HEADERS
    value = secret.reveal().decode("latin-1")
    if host.user:
        return urllib3.make_headers(basic_auth=f"{host.user}:{value}")
    return {"Authorization": f"Bearer {value}"}


class Client(Record, frozen=False):
    """Connections to any number of hosts. Those in ``named`` the user has typed: they may be inner.

    ``longest`` is how long, in seconds, a host may keep us waiting before that is an error. What is
    asked with ``get`` is ``kept``, where a place for it is given.
    """

    hosts: Hosts
    named: frozenset[str]
    authorize: Authorize = bearer
    longest: float = 60.0
    kept: Kept | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    _pools: Pools = fresh(Pools)

    @classmethod
    def of(
        cls,
        hosts: Hosts,
        *,
        named: tuple[str, ...],
        authorize: Authorize = bearer,
        kept: Kept | None = None,
    ) -> Client:
        """A client for these hosts (``name`` or ``name:port``) and what the operator lists."""
        allowed = frozenset(each.lower() for each in (*named, *hosts.named))
        return cls(hosts=hosts, named=allowed, authorize=authorize, kept=kept)

    def close(self) -> None:
        """Close all connections."""
        self._pools.close()

    def get(self, url: str, *, headers: Mapping[str, str] = _NO_HEADERS) -> Answer:
        """A whole answer of at most 32 MiB. Raises :class:`HttpError` for what is none.

        What is kept is given again where the host says that it still holds.
        """
        known = self.kept.recall(url, headers) if self.kept else None
        asked = {**headers, "If-None-Match": known.headers["etag"]} if known else headers
        answer = self.ask("GET", url, headers=asked)
        if known and answer.status == _NOT_MODIFIED:
            return known
        if self.kept:
            self.kept.keep(url, headers, answer)
        return answer

    def pages(self, url: str, *, headers: Mapping[str, str] = _NO_HEADERS) -> Iterator[Answer]:
        """This answer and those that its ``Link`` headers lead to."""
        answer = self.get(url, headers=headers)
        yield answer
        yield from self.following(answer, url, headers)

    def following(
        self, answer: Answer, url: str, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Iterator[Answer]:
        """The pages behind the answer to ``url``. Raises :class:`HttpError` if there is no end."""
        seen = {url, answer.url}
        while (following := answer.next) is not None:
            if following in seen or len(seen) > _PAGES:
                remedy = "its list has not been read to the end: is that the host's interface?"
                raise HttpError(f"{_host(url)} names pages without end", remedy=remedy)
            seen.add(following)
            own = headers if _host(following) == _host(url) else _without_secrets(headers)
            answer = self.get(following, headers=own)
            yield answer

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes | None = None,
        accepted: tuple[int, ...] = (),
    ) -> Answer:
        """Ask once, or several times where that is safe; ``accepted`` are answers besides 2xx."""
        response, final = self._sent(method, url, headers, body, (_NOT_MODIFIED, *accepted))
        try:
            data = response.read(_LARGEST + 1, decode_content=True)
        except HTTPError as error:
            raise _broken(final, error) from error
        finally:
            if response.length_remaining:
                _given_up(response)
            response.release_conn()
        if len(data) > _LARGEST:
            remedy = "no such answer is expected: is that the right address?"
            raise HttpError(f"{_host(final)} answers with more than 32 MiB", remedy=remedy)
        return Answer(
            status=response.status, headers=_lower(response.headers), body=data, url=final
        )

    @contextmanager
    def body(self, url: str, *, headers: Mapping[str, str] = _NO_HEADERS) -> Iterator[Body]:
        """The answer's bytes as they come, as they are: what breaks off is asked for again."""

        def opened(offset: int) -> urllib3.BaseHTTPResponse:
            ranged = {"Range": f"bytes={offset}-"} if offset else {}
            plain = {"Accept-Encoding": "identity"}
            response, final = self._sent("GET", url, {**headers, **plain, **ranged}, None, ())
            if not is_rest(response, offset):
                _given_up(response)
                what = f"answers {response.status} with something else than was asked for"
                raise HttpError(f"{_host(final)} {what}", remedy="ask again later")
            return response

        streamed = Body(opened, _host(url))
        try:
            yield streamed
        finally:
            streamed.close()

    def _sent(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        accepted: tuple[int, ...],
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The first answer that is one, and its address. Headers of the caller's go to his host."""
        first = _host(url)
        for _ in range(_REDIRECTS + 1):
            own = headers if _host(url) == first else _without_secrets(headers)
            response = self._patient(method, url, own, body)
            last = response.status in accepted or response.status not in _REDIRECTED
            if last or "location" not in response.headers:
                break
            _given_up(response)
            following = led(url, response.headers["location"])
            if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
                remedy = "nothing was sent there; its operator has to mend that"
                raise HttpError(f"{_host(url)} redirects away from TLS", remedy=remedy)
            if method not in _SAFE and _host(following) != first:
                # With that host's token it would change what is there, as this one chooses.
                remedy = "nothing was sent there; name the host that it leads to, if it is right"
                raise HttpError(f"{first} redirects a {method} to another host", remedy=remedy)
            url = following
        else:
            raise HttpError(f"{first} redirects without end", remedy="is that its address?")
        if 200 <= response.status < 300 or response.status in accepted:  # noqa: PLR2004  # 2xx
            return response, url
        _given_up(response)
        raise _refused(response.status, url)

    def _patient(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        """Ask until there is an answer that more patience would not change."""
        again = method in _SAFE
        for attempt in range(_TRIES):
            last = not again or attempt == _TRIES - 1
            try:
                response = self._once(method, url, headers, body)
            except HTTPError as error:
                if last:
                    raise _broken(url, error) from error
                self.sleep(_BACK_OFF * 2**attempt)
                continue
            wait = self._wanted(response)
            if wait is None and response.status < _BROKEN:
                return response
            if wait is not None and (wait > self.longest or last):
                _given_up(response)
                raise RateLimitedError(_host(url), instant(self.clock() + wait))
            if last:
                return response
            _given_up(response)
            self.sleep(_BACK_OFF * 2**attempt if wait is None else wait)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(url)
        named = _host(url) in self.named or parts.hostname in self.named
        tls = parts.scheme == "https"
        if not tls and (parts.scheme != "http" or not named):
            remedy = "write https://, or name the host in [hosts] of the configuration"
            raise HttpError(f"{parts.scheme}://{_host(url)} is not asked", remedy=remedy)
        sent = {"User-Agent": f"stanch/{__version__}", **headers}
        if "Authorization" not in headers and (tls or parts.hostname in _LOOPBACK):
            sent |= self.authorize(self.hosts.of(_host(url)))
        pool = self._pools.of(url, inner=named)
        try:
            return pool.request(
                method, url, headers=sent, body=body, redirect=False, preload_content=False
            )
        except ForbiddenAddressError as error:
            remedy = f'if you trust it, name it: [hosts."{_host(url)}"]'
            raise HttpError(f"not asked: {error}", remedy=remedy) from None
        except UnicodeError as error:  # a name that is no name
            raise HttpError(f"{_host(url)} is no host's name", remedy="mend the name") from error

    def _wanted(self, response: urllib3.BaseHTTPResponse) -> float | None:
        """For how many seconds the host wants to be left alone; None when it does not say so."""
        limited = response.status == _BUSY or (
            response.status == _FORBIDDEN and response.headers.get("x-ratelimit-remaining") == "0"
        )
        said = response.headers.get("retry-after", "").strip()
        if response.status in {_FORBIDDEN, _BUSY, 503} and said:
            return max(0.0, number(said) if said.isdecimal() else self._until(said))
        if limited and response.headers.get("x-ratelimit-reset", "").isdecimal():
            return max(1.0, number(response.headers["x-ratelimit-reset"]) - self.clock())
        return 1.0 if response.status == _BUSY else None

    def _until(self, date: str) -> float:
        try:
            return parsedate_to_datetime(date).timestamp() - self.clock()
        except (ValueError, OverflowError):
            return 1.0


def named_host(url: str) -> str:
    """The host of an address as ``name`` or ``name:port``; raises when there is none."""
    host = _host(url)
    if not host:
        raise UsageError(f"{url!r} names no host", remedy="write https://HOST/PATH")
    return host


def _host(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.hostname or ''}{f':{port}' if port and port != usual else ''}"


def _given_up(response: urllib3.BaseHTTPResponse) -> None:
    """Nobody reads what may still come: there may be no end to it."""
    response.close()
    response.release_conn()


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    secret = ("authorization", "cookie", "private-token", "circle-token")
    return {name: value for name, value in headers.items() if name.lower() not in secret}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _broken(url: str, error: Exception) -> HttpError:
    return HttpError(
        f"{_host(url)} does not answer ({type(error).__name__})",
        remedy="is it up, and reachable from here? then ask again",
    )


def _refused(status: int, url: str) -> HttpError:
    host = _host(url)
    entry = f'give a token for it: [hosts."{host}"] token = "env:NAME" in stanch.toml'
    said = {
        _UNAUTHORIZED: (f"{host} wants to know who asks (401)", entry),
        _FORBIDDEN: (f"{host} refuses (403)", f"the token may not read that; {entry}"),
        _MISSING: (f"{host} has no {urlsplit(url).path} (404)", f"mend the name, or {entry}"),
    }
    message, remedy = said.get(status, (f"{host} answers {status}", "ask again later"))
    return HttpError(message, remedy=remedy, status=status)
