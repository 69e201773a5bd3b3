from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from stanch.scanner.local.hosts import Host as Known
from stanch.scanner.local.hosts import Hosts
from stanch.scanner.sources.http.answer import HttpError, RateLimitedError
from stanch.scanner.sources.http.client import Client
from tests.scanner.sources.http.conftest import Host, reply

Start = Callable[[], Host]


def client(*named: Host, token_for: Host | None = None) -> Client:
    known = {token_for.name: Known(name=token_for.name, token="env:SOME")} if token_for else {}
    made = Client.of(Hosts(named=known), named=tuple(each.name for each in named))
    made.sleep = lambda _: None
    return made


def test_a_token_goes_to_its_own_host_and_to_no_other(
    host: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME", secrets.token_hex(16))
    first, second = host(), host()
    first.answer = lambda asked: reply(asked, 307, location=f"{second.url}/blob")
    with closing(client(first, second, token_for=first)) as asking:
        answer = asking.get(f"{first.url}/v2/")
        given = asking.get(f"{first.url}/v2/", headers={"Authorization": "Bearer x"})
    assert answer.body == given.body == b"hello"
    assert [("authorization" in headers) for _, headers in first.asked] == [True, True]
    assert [("authorization" in headers) for _, headers in second.asked] == [False, False]


def test_where_an_answer_leads_is_no_inner_address_unless_the_user_named_it(host: Start) -> None:
    first, inner = host(), host()
    first.answer = lambda asked: reply(asked, 302, location=f"{inner.url}/latest/meta-data")
    with closing(client(first)) as asking, pytest.raises(HttpError, match="is not asked"):
        asking.get(first.url)
    assert inner.asked == []


def test_a_public_name_that_resolves_to_an_inner_address_gets_no_byte(host: Start) -> None:
    inner = host()
    pools = client()._pools
    url = inner.url
    with closing(pools), pytest.raises(Exception, match="inner address 127"):
        pools.of(url, inner=False).request("GET", url)
    assert inner.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"retry_after": "7"}, 7.0),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1030"}, 30.0),
        (403, {"retry_after": "3"}, 3.0),
        (503, {"retry_after": "2"}, 2.0),
        (429, {}, 1.0),
        (502, {}, 0.5),
    ],
)
def test_it_waits_as_long_as_the_host_wants(
    host: Start, status: int, headers: dict[str, str], waited: float
) -> None:
    limited = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        if len(limited.asked) == 1:
            reply(asked, status, b"", **headers)
        else:
            reply(asked, 200, b"hello")

    limited.answer = answer
    slept: list[float] = []
    with closing(client(limited)) as asking:
        asking.sleep, asking.clock = slept.append, lambda: 1000.0
        assert asking.get(limited.url).body == b"hello"
    assert slept == [waited]


def test_a_host_that_wants_too_long_a_wait_is_an_error_that_says_until_when(host: Start) -> None:
    limited = host()
    limited.answer = lambda asked: reply(asked, 429, retry_after="3600")
    asking = client(limited)
    asking.clock = lambda: 0.0
    with closing(asking), pytest.raises(RateLimitedError) as caught:
        asking.get(limited.url)
    assert "1970-01-01 01:00:00 UTC" in str(caught.value)
    assert len(limited.asked) == 1


def test_what_changes_something_is_asked_once(host: Start) -> None:
    broken = host()
    broken.answer = lambda asked: reply(asked, 500)
    with closing(client(broken)) as asking, pytest.raises(HttpError, match="answers 500"):
        asking.ask("DELETE", broken.url)
    assert len(broken.asked) == 1


def test_pages_end_where_no_link_leads_on(host: Start) -> None:
    paged = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        to = {"/1": "/2?a=1,2", "/2?a=1,2": "/3", "/3": ""}[asked.path]
        link = f'<{paged.url}/0>; rel="prev"' + (f', <{to}>; rel="next"' if to else "")
        reply(asked, 200, asked.path.encode(), link=link)

    paged.answer = answer
    with closing(client(paged)) as asking:
        assert [page.body for page in asking.pages(f"{paged.url}/1")] == [b"/1", b"/2?a=1,2", b"/3"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_body_that_breaks_off_is_taken_up_where_it_broke(host: Start, *, ranges: bool) -> None:
    flaky, content = host(), secrets.token_bytes(300_000)

    def answer(asked: BaseHTTPRequestHandler) -> None:
        offset = int((asked.headers.get("range") or "bytes=0-")[6:-1]) if ranges else 0
        rest = content[offset:]
        if len(flaky.asked) < 3:  # breaks off twice
            asked.send_response(206 if offset else 200)
            asked.send_header("content-length", str(len(rest)))
            asked.send_header("content-range", f"bytes {offset}-299999/300000")
            asked.end_headers()
            asked.wfile.write(rest[:100_000])
            asked.close_connection = True
        else:
            span = f"bytes {offset}-299999/300000"
            reply(asked, 206 if offset else 200, rest, content_range=span)

    flaky.answer = answer
    with closing(client(flaky)) as asking, asking.body(flaky.url) as body:
        assert body.size == len(content)
        assert b"".join(iter(lambda: body.read(1 << 16), b"")) == content
    assert len(flaky.asked) == 3


def test_a_body_that_always_breaks_off_is_no_whole_one(host: Start) -> None:
    cut = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.send_header("content-length", "100")
        asked.end_headers()
        asked.close_connection = True

    cut.answer = answer
    asking = client(cut)
    with asking.body(cut.url) as body, pytest.raises(HttpError, match="after 0 bytes"):
        body.read(10)
    asking.close()


def test_nothing_but_tls_is_spoken_with_a_host_that_nobody_named(host: Start) -> None:
    plain = host()
    with closing(client()) as asking, pytest.raises(HttpError, match="is not asked"):
        asking.get(plain.url)
    assert plain.asked == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_names_the_entry_that_would_help(host: Start, status: int) -> None:
    closed = host()
    closed.answer = lambda asked: reply(asked, status)
    with closing(client(closed)) as asking, pytest.raises(HttpError) as caught:
        asking.get(closed.url)
    assert f'[hosts."{closed.name}"]' in caught.value.remedy
    assert caught.value.status == status


def test_an_answer_that_is_too_large_is_not_held(host: Start) -> None:
    endless = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.send_header("content-length", str(1 << 40))
        asked.end_headers()
        chunk = bytes(1 << 20)
        try:
            while True:
                asked.wfile.write(chunk)
        except OSError:  # the other end has enough
            asked.close_connection = True

    endless.answer = answer
    with closing(client(endless)) as asking, pytest.raises(HttpError, match="more than 32 MiB"):
        asking.get(endless.url)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "9" * 400},
        {"retry-after": "9" * 15},
        {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30},
    ],
)
def test_a_host_that_wants_to_be_left_alone_for_ever_is_an_error(
    host: Start, headers: dict[str, str]
) -> None:
    made = host()
    made.answer = lambda asked: reply(asked, 429, **headers)
    with closing(client(made)) as asking, pytest.raises(RateLimitedError, match="UTC"):
        asking.get(made.url)


@pytest.mark.parametrize("status", [301, 200])
def test_what_leads_to_no_address_is_an_error(host: Start, status: int) -> None:
    made = host()
    made.answer = lambda asked: reply(
        asked, status, location="http://[::1", link='<http://[::1>; rel="next"'
    )
    with closing(client(made)) as asking, pytest.raises(HttpError, match="no address"):
        list(asking.pages(made.url))


def test_pages_that_lead_in_a_circle_are_not_read_to_the_end(host: Start) -> None:
    made = host()
    made.answer = lambda asked: reply(asked, 200, b"[]", link='</first>; rel="next"')
    with closing(client(made)) as asking, pytest.raises(HttpError, match="without end"):
        list(asking.pages(f"{made.url}/first"))


@pytest.mark.parametrize("status", [202, 204, 206])
def test_an_answer_without_the_whole_content_is_none(host: Start, status: int) -> None:
    made = host()
    made.answer = lambda asked: reply(asked, status, b"half" if status != 204 else b"")
    with (
        closing(client(made)) as asking,
        pytest.raises(HttpError, match="than was asked for"),
        asking.body(made.url),
    ):
        pass


def test_another_part_than_was_asked_for_is_an_error(host: Start) -> None:
    made = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        if asked.headers["range"]:
            reply(asked, 206, b"0123456789", content_range="bytes 0-9/20")
            return
        asked.send_response(200)
        asked.send_header("content-length", "20")
        asked.end_headers()
        asked.wfile.write(b"0123456789")
        asked.close_connection = True

    made.answer = answer
    with closing(client(made)) as asking, asking.body(made.url) as body:
        assert body.read(10) == b"0123456789"
        with pytest.raises(HttpError, match="than was asked for"):
            body.read(10)


def test_a_size_beyond_all_sizes_is_none(host: Start) -> None:
    made = host()

    def answer(asked: BaseHTTPRequestHandler) -> None:
        reply(asked, 200, b"hi", content_length="9" * 5000)
        asked.close_connection = True

    made.answer = answer
    with closing(client(made)) as asking, asking.body(made.url) as body:
        assert body.size is None
        assert body.read(100) == b"hi"


def test_an_answer_of_millions_of_values_is_not_taken_apart(host: Start) -> None:
    made = host()
    made.answer = lambda asked: reply(asked, 200, b"[" + b"{}," * 2_100_000 + b"0]")
    with closing(client(made)) as asking, pytest.raises(HttpError, match="millions of values"):
        asking.get(made.url).json()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_changes_something_is_not_done_at_another_host(host: Start, method: str) -> None:
    first, second = host(), host()
    first.answer = lambda asked: reply(asked, 307, location=f"{second.url}/repos/acme/app")
    with (
        closing(client(first, second)) as asking,
        pytest.raises(HttpError, match=f"redirects a {method} to another host"),
    ):
        asking.ask(method, first.url)
    assert second.asked == []
