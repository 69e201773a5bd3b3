"""Bitbucket Cloud: https://developer.atlassian.com/cloud/bitbucket/rest/ is what it answers."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.sources.http.answer import Answer, HttpError
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.remote.listing import Listed, Row, base, one, rows, text

HOST = "bitbucket.org"


def repositories(client: Client, host: str, owner: str) -> Iterator[Listed]:
    """All repositories of a workspace, or the one named. Pages name the next in their text."""
    api = "https://api.bitbucket.org" if host == HOST else base(host)
    if "/" in owner:
        yield one(client.get(f"{api}/2.0/repositories/{owner}"), _listed)
        return
    following: str | None = f"{api}/2.0/repositories/{owner}?pagelen=100"
    seen: set[str] = set()
    while following is not None and following not in seen:
        seen.add(following)
        page = client.get(following)
        yield from map(_listed, rows(page, "values"))
        following = _next(page)


def _listed(row: Row) -> Listed:
    changed = str(row.get("updated_on") or "")
    return Listed(name=text(row, "full_name"), url=_clone(row), changed=changed)


def _clone(row: Row) -> str:
    links = row.get("links")
    ways = links.get("clone") if isinstance(links, dict) else None
    for way in ways if isinstance(ways, list) else ():
        if isinstance(way, dict) and way.get("name") == "https":
            scheme, _, place = text(way, "href").partition("://")
            return f"{scheme}://{place.rpartition('@')[2]}"  # it names the user who asks
    raise HttpError("a listed repository has no address", remedy="is that the host's interface?")


def _next(page: Answer) -> str | None:
    found = page.json()
    following = found.get("next") if isinstance(found, dict) else None
    return following if isinstance(following, str) else None
