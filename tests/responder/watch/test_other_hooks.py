"""Webhooks of GitLab (both kinds), Gitea, Forgejo and Bitbucket, signed as each host does it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable

import pytest

from tests.responder.watch.conftest import Post, Watches
from tests.scanner.sources.remote.conftest import GitHost

Start = Callable[[], GitHost]
Headers = dict[str, str]
Sign = Callable[[bytes, bytes], Headers]


def sha256(secret: bytes, body: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def gitlab(secret: bytes, _: bytes) -> Headers:
    return {
        "x-gitlab-event": "Push Hook",
        "x-gitlab-token": secret.decode(),
        "idempotency-key": "g-1",
    }


def gitea(secret: bytes, body: bytes) -> Headers:
    return {
        "x-gitea-event": "push",
        "x-gitea-delivery": "t-1",
        "x-gitea-signature": sha256(secret, body),
    }


def forgejo(secret: bytes, body: bytes) -> Headers:
    return {
        "x-forgejo-event": "push",
        "x-forgejo-delivery": "f-1",
        "x-forgejo-signature": sha256(secret, body),
    }


def bitbucket(secret: bytes, body: bytes) -> Headers:
    return {
        "x-event-key": "repo:push",
        "x-request-uuid": "b-1",
        "x-attempt-number": "1",
        "x-hub-signature": f"sha256={sha256(secret, body)}",
    }


HOSTS = [
    ("gitlab", gitlab),
    ("gitea", gitea),
    ("gitea", forgejo),
    ("bitbucket", bitbucket),
]


def body_of(host: GitHost, kind: str, name: str = "acme/app") -> bytes:
    """What each says of a push, as far as it matters."""
    if kind == "gitlab":
        project = {"path_with_namespace": name, "git_http_url": host.url(name)}
        return json.dumps({"object_kind": "push", "project": project}).encode()
    repository: dict[str, object] = {"full_name": name}
    if kind == "gitea":
        repository["clone_url"] = host.url(name)
    else:
        repository["links"] = {"html": {"href": host.url(name).removesuffix(".git")}}
    return json.dumps({"repository": repository}).encode()


@pytest.fixture
def host(git_host: Start) -> GitHost:
    started = git_host()
    started.repository("acme/app")
    started.push("acme/app", {"a": "a\n"})
    return started


def watch(host: GitHost, kind: str, *more: str) -> tuple[str, ...]:
    return ("[watch.acme]", f'kind = "{kind}"', f'of = "{host.name}/acme"', *more)


SECRET = 'secret = "env:HOOK_SECRET"'


@pytest.mark.parametrize(("kind", "sign"), HOSTS, ids=lambda v: getattr(v, "__name__", v))
def test_a_push_is_noted_once_and_a_stranger_never(
    host: GitHost, watching: Watches, hook_secret: bytes, kind: str, sign: Sign
) -> None:
    post = watching(*watch(host, kind, SECRET))
    body = body_of(host, kind)
    for wrong in (b"wrong", b""):
        stranger = post.web.post("/hooks/acme", content=body, headers=sign(wrong, body))
        assert stranger.status_code == 403
    assert post.sources() == ()
    headers = sign(hook_secret, body)
    assert post.web.post("/hooks/acme", content=body, headers=headers).status_code == 202
    assert post.web.post("/hooks/acme", content=body, headers=headers).status_code == 200
    noted = [each for each in post.sources() if each.wanted]
    assert [(each.subject, each.wanted) for each in noted] == [(host.url("acme/app"), 1)]


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """GitLab's signing token, as it shows it; returns the key within."""
    key = os.urandom(32)
    monkeypatch.setenv("HOOK_SIGNING", f"whsec_{base64.b64encode(key).decode()}")
    return key


def message(key: bytes, body: bytes, *, at: float, number: str = "m-1") -> Headers:
    signed = f"{number}.{int(at)}.".encode() + body
    made = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "x-gitlab-event": "Push Hook",
        "webhook-id": number,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{made}",
    }


def sent(post: Post, body: bytes, headers: Headers) -> int:
    return post.web.post("/hooks/acme", content=body, headers=headers).status_code


def test_gitlabs_signing_token_signs_id_time_and_body(
    host: GitHost, watching: Watches, signing: bytes
) -> None:
    post = watching(*watch(host, "gitlab", 'signing = "env:HOOK_SIGNING"'))
    body, now = body_of(host, "gitlab"), time.time()
    good = message(signing, body, at=now)
    refused = [
        {k: v for k, v in good.items() if k != "webhook-signature"},
        {**good, "webhook-signature": ""},
        {**good, "webhook-signature": "v1,"},
        {**good, "webhook-id": "m-2"},  # the id is signed here
        message(signing, body, at=now - 360),
        message(signing, body, at=now + 420),
        {**good, "webhook-timestamp": "9" * 400},
        message(b"", body, at=now),
        gitlab(b"anything", body),
    ]
    assert [sent(post, body, headers) for headers in refused] == [403] * len(refused)
    assert post.sources() == ()
    rotated = {**good, "webhook-signature": f"v1,AAAA {good['webhook-signature']}"}
    assert sent(post, body, rotated) == 202
    assert sent(post, body, good) == 200


def test_with_both_of_gitlabs_ways_both_have_to_be_right(
    host: GitHost, watching: Watches, signing: bytes, hook_secret: bytes
) -> None:
    post = watching(*watch(host, "gitlab", SECRET, 'signing = "env:HOOK_SIGNING"'))
    body = body_of(host, "gitlab")
    signed = message(signing, body, at=time.time())
    assert sent(post, body, signed) == 403
    assert sent(post, body, gitlab(hook_secret, body)) == 403
    assert sent(post, body, {**gitlab(hook_secret, body), **signed}) == 202


def test_a_signing_token_that_is_none_opens_nothing(
    host: GitHost, watching: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SIGNING", "whsec_")
    post = watching(*watch(host, "gitlab", 'signing = "env:HOOK_SIGNING"'))
    body = body_of(host, "gitlab")
    assert sent(post, body, message(b"", body, at=time.time())) == 403


@pytest.mark.parametrize(
    ("kind", "pages"),
    [
        ("gitlab", {"/api/v4/projects/acme%2Fapp": "project"}),
        ("gitea", {"/api/v1/repos/acme/app": "repository"}),
        ("bitbucket", {"/2.0/repositories/acme/app": "bitbucket"}),
    ],
)
def test_one_repository_alone_is_watched_too(
    host: GitHost, watching: Watches, kind: str, pages: dict[str, str]
) -> None:
    url = host.url("acme/app")
    rows: dict[str, object] = {
        "project": {"path_with_namespace": "acme/app", "http_url_to_repo": url},
        "repository": {"full_name": "acme/app", "clone_url": url},
        "bitbucket": {
            "full_name": "acme/app",
            "links": {"clone": [{"name": "https", "href": url}]},
        },
    }
    host.pages.update({path: rows[name] for path, name in pages.items()})
    post = watching("[watch.app]", f'kind = "{kind}"', f'of = "{host.name}/acme/app"')
    assert post.look(), [each.error for each in post.sources()]
    assert post.source(url).looked_at is not None
