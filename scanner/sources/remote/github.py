"""GitHub and GitHub Enterprise, as https://docs.github.com/en/rest/repos/repos says."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.remote.listing import Listed, Row, base, one, rows, text, wiki_of

HOST = "github.com"
_MISSING = 404
_ACCEPT = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def repositories(client: Client, host: str, owner: str) -> Iterator[Listed]:
    """All that the token may see of an organisation or a user, or the one that is named."""
    api = "https://api.github.com" if host == HOST else f"{base(host)}/api/v3"
    if "/" in owner:
        yield one(client.get(f"{api}/repos/{owner}", headers=_ACCEPT), _listed)
        return
    try:
        yield from _pages(client, f"{api}/orgs/{owner}/repos?type=all&per_page=100")
    except HttpError as error:
        if error.status != _MISSING:
            raise
        yield from _pages(client, f"{api}/users/{owner}/repos?type=all&per_page=100")


def _pages(client: Client, url: str) -> Iterator[Listed]:
    for page in client.pages(url, headers=_ACCEPT):
        for row in rows(page):
            yield _listed(row)


def _listed(row: Row) -> Listed:
    url = text(row, "clone_url")
    return Listed(
        name=text(row, "full_name"),
        url=url,
        wiki=wiki_of(url) if row.get("has_wiki") else None,
        changed=str(row.get("pushed_at") or ""),
    )
