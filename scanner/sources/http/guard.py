"""Connections that reach no inner network unless the user named the host.

What a server answers (a redirect, a token realm, the next page) chooses the next address. It must
not choose this machine, the cloud's metadata service or an internal host. The address is judged by
the connection's peer, after the name was resolved for the last time, and before a byte is sent.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class ForbiddenAddressError(Exception):
    """A host that nobody named is at an inner address."""


class _Peer:
    """What both kinds of connection do: look whom they reached."""

    host: str

    def _new_conn(self) -> socket.socket:
        reached: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the class beside
        address = reached.getpeername()[0].partition("%")[0]
        if not ipaddress.ip_address(address).is_global:
            reached.close()
            raise ForbiddenAddressError(f"{self.host} is at the inner address {address}")
        return reached


class _GuardedHttp(_Peer, HTTPConnection):
    pass


class _GuardedHttps(_Peer, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps


class Pools:
    """Connections, straight or through the proxy that the environment names (``HTTPS_PROXY``).

    A proxy resolves names itself: what it reaches is up to whoever runs it.
    """

    def __init__(self) -> None:
        self._free = urllib3.PoolManager(**_options())
        self._guarded = urllib3.PoolManager(**_options())
        self._guarded.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self._proxies: dict[str, urllib3.ProxyManager] = {}

    def of(self, url: str, *, inner: bool) -> urllib3.PoolManager:
        """The pool for an address; without ``inner`` it reaches public addresses only."""
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if proxy is None or proxy_bypass(parts.netloc.rpartition("@")[2]):
            return self._free if inner else self._guarded
        if proxy not in self._proxies:
            user = urlsplit(proxy).netloc.rpartition("@")[0]
            headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
            self._proxies[proxy] = urllib3.ProxyManager(proxy, proxy_headers=headers, **_options())
        return self._proxies[proxy]

    def close(self) -> None:
        """Close all of them."""
        for pool in (self._free, self._guarded, *self._proxies.values()):
            pool.clear()


def _options() -> Any:
    return {
        "timeout": urllib3.Timeout(connect=10, read=60),
        "retries": False,
        "maxsize": 8,
    }
