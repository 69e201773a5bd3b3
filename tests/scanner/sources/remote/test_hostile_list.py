"""A host that lists what is not its own leads git nowhere, and no token goes without TLS."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.api import Scanner, listed_repositories
from stanch.scanner.local.hosts import Host, Hosts
from stanch.scanner.model.error import SourceError
from stanch.scanner.scan.stage import Asked
from stanch.scanner.scan.unit import Unit
from stanch.scanner.sources.remote import mirror
from stanch.scanner.sources.remote.address import parse
from tests.scanner.sources.remote.conftest import GitHost
from tests.scanner.sources.remote.test_remote_scan import home, read, scanner

__all__ = ["home", "scanner"]  # fixtures

Start = Callable[[], GitHost]


def _offered(host: GitHost, *urls: str) -> None:
    rows = [{"full_name": f"acme/{n}", "clone_url": url} for n, url in enumerate(urls)]
    host.pages["/api/v1/orgs/acme/repos?limit=50"] = rows


@pytest.mark.usefixtures("home")
def test_what_is_listed_at_another_host_is_not_asked_for_and_the_others_are_read(
    git_host: Start, scanner: Scanner, token: Callable[[int], str]
) -> None:
    host, inner = git_host(), git_host()
    host.repository("acme/app")
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n"})
    elsewhere = f"http://localhost:{inner.port}/metadata"
    config = f"http://{host.name}/a\n[http]\n\tsslVerify=false"
    _offered(host, elsewhere, "ext::sh", "file:///etc", config, host.url("acme/app"))
    target = f"gitea:{host.name}/acme"
    found, gaps = read(scanner.scan_target(target, parts=False))
    assert [each.finding.path for each in found] == ["acme/4/a.env"]
    assert [gap.path for gap in gaps if gap.incomplete] == [f"acme/{n}" for n in range(4)]
    with pytest.raises(SourceError, match="nobody has named"):
        list(listed_repositories("gitea", f"{host.name}/acme"))
    units = list(Unit.of(target, target).expanded())
    assert [bool(each.host) for each in units] == [False] * 4 + [True]
    with pytest.raises(SourceError, match="nobody has named"):
        list(units[0].scanned(scanner, Asked(parts=False))[1])
    assert inner.asked == []


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://ghe.example/a/b", True),
        ("http://ghe.example/a/b", False),
        ("http://127.0.0.1:80/a/b", True),
        ("ssh://git@ghe.example/a/b", False),
    ],
)
def test_a_token_is_sent_over_tls_alone(url: str, *, sent: bool) -> None:
    value = secrets.token_hex(8)
    told = mirror._settings(parse(url), Host(name="ghe.example", token="env:X"), {"X": value})
    assert any("extraHeader" in name for name in told) is sent


def test_a_fetch_that_fails_leaves_no_empty_copy(tmp_path: Path, git_host: Start) -> None:
    host = git_host()
    fetch = mirror.Fetch(
        address=parse(host.url("nothing")),
        folder=tmp_path / "mirrors",
        hosts=Hosts(named={}),
        environ=os.environ,
    )
    with pytest.raises(SourceError), mirror.fetched(fetch):
        pass
    assert [each.suffix for each in fetch.folder.iterdir()] == [".lock"]
