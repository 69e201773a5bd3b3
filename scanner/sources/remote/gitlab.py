"""GitLab, as https://docs.gitlab.com/api/groups/#list-projects says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.remote.listing import Listed, base, rows, text, wiki_of

HOST = "gitlab.com"
_MISSING = 404


def repositories(client: Client, host: str, owner: str) -> Iterator[Listed]:
    """All projects of a group and of the groups in it, or those of a user."""
    api = f"{base(host)}/api/v4"
    name = quote(owner, safe="")
    try:
        yield from _pages(client, f"{api}/groups/{name}/projects?include_subgroups=true")
    except HttpError as error:
        if error.status != _MISSING:
            raise
        yield from _pages(client, f"{api}/users/{name}/projects?simple=false")


def _pages(client: Client, url: str) -> Iterator[Listed]:
    for page in client.pages(f"{url}&per_page=100&order_by=id"):
        for row in rows(page):
            clone = text(row, "http_url_to_repo")
            wiki = wiki_of(clone) if row.get("wiki_enabled") else None
            changed = str(row.get("last_activity_at") or "")
            name = text(row, "path_with_namespace")
            yield Listed(name=name, url=clone, wiki=wiki, changed=changed)
