"""Asked again, a host need not answer anew; what it does not vouch for is never given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from stanch.scanner.local.hosts import Hosts
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.http.kept import Kept
from tests.scanner.sources.http.conftest import Host, reply

Start = Callable[[], Host]


class Pages:
    """Two pages of a list; the first names the second. ``version`` is what their ETags say."""

    def __init__(self, host: Host) -> None:
        self.host, self.version, self.whole = host, 1, 0
        host.answer = self.reply

    def reply(self, asked: BaseHTTPRequestHandler) -> None:
        etag = f'"{self.version}"'
        if asked.headers.get("If-None-Match") == etag:
            reply(asked, 304)
            return
        self.whole += 1
        link = {} if "page=2" in asked.path else {"link": f'<{self.host.url}/?page=2>; rel="next"'}
        reply(asked, 200, f"{asked.path} {self.version}".encode(), etag=etag, **link)


def asked(host: Host, folder: Path) -> list[bytes]:
    client = Client.of(Hosts(named={}), named=(host.name,), kept=Kept(folder=folder))
    with closing(client) as asking:
        return [page.body for page in asking.pages(f"{host.url}/?page=1")]


def test_pages_that_have_not_changed_are_not_sent_again(host: Start, tmp_path: Path) -> None:
    pages = Pages(host())
    first = asked(pages.host, tmp_path)
    assert asked(pages.host, tmp_path) == first == [b"/?page=1 1", b"/?page=2 1"]
    assert pages.whole == 2
    pages.version = 2
    assert asked(pages.host, tmp_path) == [b"/?page=1 2", b"/?page=2 2"]


def test_what_is_kept_and_broken_is_asked_for_anew(host: Start, tmp_path: Path) -> None:
    pages = Pages(host())
    first = asked(pages.host, tmp_path)
    for kept in tmp_path.iterdir():
        kept.write_bytes(kept.read_bytes()[:-3])
    assert asked(pages.host, tmp_path) == first
    assert pages.whole == 4


def test_what_a_host_puts_no_mark_on_is_asked_for_anew(host: Start, tmp_path: Path) -> None:
    plain = host()
    assert asked(plain, tmp_path) == asked(plain, tmp_path) == [b"hello"]
    assert list(tmp_path.iterdir()) == []
