"""GitHub's webhooks, really signed, over HTTP: one effect for each, none for a stranger."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode

import httpx
import pytest

from tests.responder.watch.conftest import Post, Watches, push_of
from tests.scanner.sources.remote.conftest import GitHost

Start = Callable[[], GitHost]
Token = Callable[[int], str]


def watch(host: GitHost, *more: str) -> tuple[str, ...]:
    return ("[watch.acme]", 'kind = "github"', f'of = "{host.name}/acme"', *more)


SECRET = 'secret = "env:HOOK_SECRET"'


def send(
    post: Post, body: bytes, secret: bytes, number: str = "d-1", **more: str
) -> httpx.Response:
    headers = {
        "x-github-event": "push",
        "x-github-delivery": number,
        "x-hub-signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
        "content-type": "application/json",
        **more,
    }
    return post.web.post("/hooks/acme", content=body, headers=headers)


@pytest.fixture
def host(git_host: Start) -> GitHost:
    started = git_host()
    started.repository("acme/app")
    return started


def test_a_push_becomes_an_incident_and_the_next_look_reads_only_what_is_new(
    host: GitHost, watching: Watches, hook_secret: bytes, token: Token
) -> None:
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n"})
    post = watching(*watch(host, SECRET))
    assert send(post, push_of(host, "acme/app"), hook_secret).status_code == 202
    assert post.incidents() == [], "the door reads nothing"
    post.look()
    (incident, (exposure,)), *others = post.incidents()
    assert others == []
    assert (exposure.root, exposure.path) == (host.url("acme/app"), "a.env")
    with post.house.store.snapshot() as tx:
        assert tx.runs.of(incident.id), "it is answered"
        event = next(tx.ledger.entries(incident.id)).event
        assert (event.actor, event.detail["account"]) == ("watch:stanch", "acme")
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\nOTHER={token(2)}\n"})
    assert send(post, push_of(host, "acme/app", "later"), hook_secret, "d-2").status_code == 202
    post.look()
    assert post.places() == ["a.env:1", "a.env:2"]
    assert post.source(host.url("acme/app")).noticed_at is None


def test_the_same_delivery_has_one_effect_and_is_answered_well(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    host.push("acme/app", {"a": "a\n"})
    post = watching(*watch(host, SECRET))
    body = push_of(host, "acme/app")
    assert send(post, body, hook_secret).status_code == 202
    wanted = post.source(host.url("acme/app")).wanted
    for number in ("d-1", "d-1", "d-forged"):  # the id is not signed: the body is known by itself
        again = send(post, body, hook_secret, number)
        assert (again.status_code, again.text) == (200, "known already\n")
    assert post.source(host.url("acme/app")).wanted == wanted == 1


@pytest.mark.parametrize(
    "forged",
    ["", "sha256=", f"sha256={'0' * 64}", "sha256=\u00e9", "empty key"],
    ids=["none", "nothing", "wrong", "no ASCII", "empty key"],
)
def test_who_does_not_sign_is_refused(
    host: GitHost, watching: Watches, hook_secret: bytes, forged: str
) -> None:
    assert hook_secret
    post = watching(*watch(host, SECRET))
    body = push_of(host, "acme/app")
    if forged == "empty key":
        forged = f"sha256={hmac.new(b'', body, hashlib.sha256).hexdigest()}"
    headers = {"x-github-event": "push", "x-github-delivery": "d"}
    signed = [(b"x-hub-signature-256", forged.encode())] if forged else []
    answer = post.web.post(
        "/hooks/acme", content=body, headers=[*httpx.Headers(headers).raw, *signed]
    )
    assert (answer.status_code, answer.text) == (403, "refused\n")
    assert post.sources() == ()


def test_a_body_that_was_changed_is_refused(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    body = push_of(host, "acme/app")
    signature = f"sha256={hmac.new(hook_secret, body, hashlib.sha256).hexdigest()}"
    answer = send(post, body + b" ", hook_secret, **{"x-hub-signature-256": signature})
    assert answer.status_code == 403


@pytest.mark.parametrize("lines", [(), ('secret = "env:NOT_SET_ANYWHERE"',)], ids=["none", "unset"])
def test_without_a_secret_nobody_is_believed(
    host: GitHost, watching: Watches, lines: tuple[str, ...]
) -> None:
    post = watching(*watch(host, *lines))
    assert send(post, push_of(host, "acme/app"), b"").status_code == 403
    assert post.sources() == ()


def test_a_large_body_is_refused_before_it_is_held(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    body = b" " * ((8 << 20) + 1)
    assert send(post, body, hook_secret).status_code == 413

    def pieces() -> object:
        for _ in range(9):
            yield b" " * (1 << 20)

    streamed = post.web.post("/hooks/acme", content=pieces())  # type: ignore[arg-type]  # a stream
    assert streamed.status_code == 413


def test_an_address_elsewhere_or_another_owner_only_makes_the_owner_be_listed(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    for number, (name, url) in enumerate(
        [
            ("acme/app", "https://evil.example/acme/app.git"),
            ("acme/app", host.url("other/app")),
            ("other/app", host.url("other/app")),
            ("acmeother/app", host.url("acmeother/app")),
        ]
    ):
        repository = {"full_name": name, "clone_url": url}
        body = json.dumps({"repository": repository}).encode()
        assert send(post, body, hook_secret, f"n-{number}").status_code == 202
    assert [(each.kind, each.wanted) for each in post.sources()] == [("owner", 4)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 200_000, b'{"repository": 1}', b"null"])
def test_what_is_signed_and_makes_no_sense_has_no_effect(
    host: GitHost, watching: Watches, hook_secret: bytes, body: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    assert send(post, body, hook_secret).status_code == 400
    assert post.sources() == ()


def test_a_form_is_understood_too_and_a_wrong_content_type_does_not_matter(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = push_of(host, "acme/app")
    payload = urlencode({"payload": body.decode()}).encode()
    assert send(post, payload, hook_secret, "d-1", **form).status_code == 202
    assert send(post, body, hook_secret, "d-2", **form).status_code == 202
    assert send(post, b"a=1&" * 40, hook_secret, "d-3", **form).status_code == 400
    assert post.source(host.url("acme/app")).wanted == 2


def test_a_ping_and_what_nobody_watches(
    host: GitHost, watching: Watches, hook_secret: bytes
) -> None:
    post = watching(*watch(host, SECRET))
    body = json.dumps({"zen": "x", "repository": {"full_name": "acme/app"}}).encode()
    assert send(post, body, hook_secret, **{"x-github-event": "ping"}).status_code == 202
    assert post.sources() == ()
    assert post.web.post("/hooks/nobody", content=b"{}").status_code == 404
    assert post.web.get("/hooks/acme").status_code == 405
