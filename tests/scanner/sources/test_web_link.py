"""Where a host shows a line: from the address of ``origin``, without who may log in there."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.scanner.sources.git.discovery import at
from stanch.scanner.sources.git.web_link import link, web_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/acme/app.git", "https://github.com/acme/app"),
        ("git@github.com:acme/app.git", "https://github.com/acme/app"),
        (
            "ssh://git@gitlab.example.org:2222/group/sub/app",
            "https://gitlab.example.org/group/sub/app",
        ),
        ("https://user:pass" + "word@github.com/acme/app", "https://github.com/acme/app"),
        ("/srv/git/app.git", None),
        ("javascript:alert(1)", None),
    ],
)
def test_the_page_of_a_repository(repo: Any, url: str, address: str | None) -> None:
    repo.git("config", "remote.other.url", "https://github.com/not/this")
    repo.git("config", "remote.origin.url", url)
    layout = at(repo.path.resolve())
    assert layout is not None
    assert web_address(layout) == address


@pytest.mark.parametrize(
    ("web", "page"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/blob/c0ffee/x%20y.env#L3"),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b/-/blob/c0ffee/x%20y.env#L3"),
        ("https://git.example.org/a/b", None),
        (None, None),
    ],
)
def test_the_page_of_a_line(web: str | None, page: str | None) -> None:
    assert link(web, "c0ffee", "x y.env", 3) == page
