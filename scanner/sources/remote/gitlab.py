"""GitLab, as https://docs.gitlab.com/api/groups/#list-projects says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.remote.listing import Listed, Row, base, one, rows, text, wiki_of

HOST = "gitlab.com"
_MISSING = 404


def repositories(client: Client, host: str, owner: str) -> Iterator[Listed]:
    """All projects of a group and of the groups in it, those of a user, or one project."""
    api = f"{base(host)}/api/v4"
    name = quote(owner, safe="")
    try:
        yield from _pages(client, f"{api}/groups/{name}/projects?include_subgroups=true")
    except HttpError as error:
        if error.status != _MISSING:
            raise
        if "/" in owner:  # no group in a group: a project
            yield one(client.get(f"{api}/projects/{name}"), _listed)
            return
        yield from _pages(client, f"{api}/users/{name}/projects?simple=false")


def _pages(client: Client, url: str) -> Iterator[Listed]:
    for page in client.pages(f"{url}&per_page=100&order_by=id"):
        yield from map(_listed, rows(page))


def _listed(row: Row) -> Listed:
    clone = text(row, "http_url_to_repo")
    return Listed(
        name=text(row, "path_with_namespace"),
        url=clone,
        wiki=wiki_of(clone) if row.get("wiki_enabled") else None,
        changed=str(row.get("last_activity_at") or ""),
    )
