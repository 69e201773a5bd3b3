"""Gitea and Forgejo, as https://docs.gitea.com/api/ says."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.remote.listing import Listed, Row, base, one, rows, text, wiki_of

_MISSING = 404


def repositories(client: Client, host: str, owner: str) -> Iterator[Listed]:
    """All repositories of an organisation, or of a user, or the one that is named."""
    api = f"{base(host)}/api/v1"
    if "/" in owner:
        yield one(client.get(f"{api}/repos/{owner}"), _listed)
        return
    try:
        yield from _pages(client, f"{api}/orgs/{owner}/repos?limit=50")
    except HttpError as error:
        if error.status != _MISSING:
            raise
        yield from _pages(client, f"{api}/users/{owner}/repos?limit=50")


def _pages(client: Client, url: str) -> Iterator[Listed]:
    for page in client.pages(url):
        yield from map(_listed, rows(page))


def _listed(row: Row) -> Listed:
    clone = text(row, "clone_url")
    return Listed(
        name=text(row, "full_name"),
        url=clone,
        wiki=wiki_of(clone) if row.get("has_wiki") else None,
        changed=str(row.get("updated_at") or ""),
    )
