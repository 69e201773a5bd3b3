"""What a webhook says: which repository has news, and of what kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import parse_qs

from stanch.responder.watch.hook.signature import Headers


class About(StrEnum):
    """What there is news of."""

    REPOSITORY = "repository"
    WIKI = "wiki"
    OWNER = "owner"  # repositories came, went or were renamed
    RUN = "run"  # a pipeline has ended
    NOTHING = "nothing"


class Unreadable(Exception):  # noqa: N818  # an answer, named as people say it
    """It is signed, and says nothing that we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``id`` is the host's for this delivery, ``name`` the repository's with its owner."""

    id: str
    event: str
    about: About
    name: str = ""
    urls: tuple[str, ...] = ()


_HEADERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "github": (("x-github-delivery",), ("x-github-event",)),
        "gitlab": (("webhook-id", "idempotency-key", "x-gitlab-event-uuid"), ("x-gitlab-event",)),
        "gitea": (("x-gitea-delivery", "x-forgejo-delivery"), ("x-gitea-event", "x-forgejo-event")),
        "bitbucket": (("x-request-uuid", "x-request-id"), ("x-event-key",)),
    }
)
"""Where hosts say the id of a delivery, and what has happened."""

_ABOUT: Mapping[str, About] = MappingProxyType(
    dict.fromkeys(
        (
            *("push", "create", "pull_request", "release", "public", "pull_request_sync"),
            *("Push Hook", "Tag Push Hook", "Merge Request Hook", "Release Hook", "System Hook"),
            *("repo:push", "repo:refs_changed", "pullrequest:created", "pullrequest:updated"),
            *("pr:opened", "pr:from_ref_updated"),
        ),
        About.REPOSITORY,
    )
    | dict.fromkeys(("gollum", "wiki", "Wiki Page Hook"), About.WIKI)
    | dict.fromkeys(
        ("repository", "repo:created", "repo:transfer", "repo:imported", "Project Hook"),
        About.OWNER,
    )
    | dict.fromkeys(
        ("workflow_run", "workflow_job", "Pipeline Hook", "Job Hook", "repo:commit_status_updated"),
        About.RUN,
    )
)


def told(kind: str, headers: Headers, body: bytes) -> Told:
    """What a host of this kind says; raises :class:`Unreadable`."""
    ids, events = _HEADERS[kind]
    event = _first(headers, events)[:100]
    given = _first(headers, ids)
    found = _object(headers, body)
    repository = _inner(found, "repository") or _inner(found, "project")
    name = _text(repository, "full_name") or _text(repository, "path_with_namespace")
    about = _ABOUT.get(event, About.NOTHING)
    if about in {About.REPOSITORY, About.WIKI, About.RUN} and not name:
        raise Unreadable(f"{event} names no repository")
    urls = [_text(repository, key) for key in ("clone_url", "git_http_url", "http_url")]
    page = _text(_inner(_inner(repository, "links"), "html"), "href")
    if kind == "bitbucket" and page:  # it names no other address than its page's
        urls.append(f"{page}.git")
    return Told(
        id=given[:64] or digest(body),
        event=event,
        about=about,
        name=name,
        urls=tuple(filter(None, urls)),
    )


def digest(body: bytes) -> str:
    """By which a body is known again whatever it is called."""
    return f"body:{hashlib.sha256(body).hexdigest()}"


def _object(headers: Headers, body: bytes) -> Mapping[str, object]:
    data: bytes | str = body
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and not body.lstrip().startswith(b"{"):
        data = _payload(body)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("the body is no object")
    return found


def _payload(body: bytes) -> str:
    """What GitHub sends as a field of a form."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=16)
    except ValueError:
        raise Unreadable("the body is no form") from None
    return fields.get("payload", [""])[0]


def _inner(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, object], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _first(headers: Headers, names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")
