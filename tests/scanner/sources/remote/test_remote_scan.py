"""Repositories of other hosts: real git over HTTP, and nothing of theirs runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.api import FingerprintKey, Gap, Match, Scanner, SecretValue
from stanch.scanner.local.hosts import operator_hosts
from stanch.scanner.model.error import SourceError
from stanch.scanner.model.provenance import InCommit, InTree
from stanch.scanner.scan.stage import Scan
from stanch.scanner.sources.remote import mirror
from stanch.scanner.sources.remote.address import parse
from tests.scanner.sources.remote.conftest import GitHost, git

Start = Callable[[], GitHost]
Token = Callable[[int], str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("STANCH_HOME", str(place))
    return place


def read(scan: Scan) -> tuple[list[Match], list[Gap]]:
    results = list(scan)
    return [r for r in results if isinstance(r, Match)], [r for r in results if isinstance(r, Gap)]


@pytest.fixture
def scanner(home: Path) -> Scanner:
    key = FingerprintKey(SecretValue(bytes(32)))
    return Scanner(key=key, history_folder=home / "history", processes=1)


@pytest.mark.parametrize("proposed", ["refs/pull/7/head", "refs/merge-requests/7/head"])
def test_a_url_is_scanned_with_what_was_proposed_and_never_merged(
    git_host: Start, scanner: Scanner, token: Token, proposed: str
) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    host.push("app", {"a.env": "TOKEN=\n"})
    host.push("app", {"b.env": f"TOKEN={token(2)}\n"}, ref=proposed)
    found, gaps = read(scanner.scan_target(host.url("app"), parts=False))
    assert [each.finding.path for each in found] == ["a.env", "b.env"]
    assert [each.finding.provenance.source for each in found] == ["git-history"] * 2
    assert [gap for gap in gaps if gap.incomplete] == []


def test_a_second_scan_fetches_only_what_is_new(
    git_host: Start, scanner: Scanner, token: Token
) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"large": secrets.token_hex(500_000), "a.env": f"TOKEN={token(1)}\n"})
    read(scanner.scan_target(host.url("app"), parts=False))
    first, host.bytes_sent = host.bytes_sent, 0
    host.push("app", {"b.env": f"TOKEN={token(2)}\n"})
    pushed, host.bytes_sent = host.bytes_sent, 0
    found, _ = read(scanner.scan_target(host.url("app"), parts=False))
    assert first > 500_000
    assert host.bytes_sent < 10_000, pushed
    assert [each.finding.path for each in found] == ["a.env", "b.env"]


def test_a_branch_that_is_gone_is_not_kept(git_host: Start, scanner: Scanner, token: Token) -> None:
    host = git_host()
    place = host.repository("app")
    host.push("app", {"a": "a\n"})
    host.push("app", {"b.env": f"TOKEN={token(1)}\n"}, ref="refs/heads/other")
    assert len(read(scanner.scan_target(host.url("app"), parts=False))[0]) == 1
    git(place, "update-ref", "-d", "refs/heads/other")
    assert read(scanner.scan_target(host.url("app"), parts=False))[0] == []


def test_without_history_only_the_newest_commit_is_fetched(
    git_host: Start, scanner: Scanner, token: Token
) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"old": secrets.token_hex(500_000)})
    host.push("app", {"old": "", "a.env": f"TOKEN={token(1)}\n"})
    (match,), gaps = read(scanner.scan_target(host.url("app"), history=False, parts=False))
    assert isinstance(match.finding.provenance, InTree)
    assert [gap for gap in gaps if gap.incomplete] == []
    assert host.bytes_sent < 10_000


def test_the_token_of_a_host_goes_to_it_and_a_redirect_goes_nowhere(
    git_host: Start,
    scanner: Scanner,
    token: Token,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, other = git_host(), git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    host.password = secrets.token_hex(8)
    (gap,) = read(scanner.scan_target(host.url("app")))[1]
    assert f'[hosts."{host.name}"]' in gap.why
    monkeypatch.setenv("ITS_TOKEN", host.password)
    (home / "stanch.toml").write_text(f'[hosts."{host.name}"]\ntoken = "env:ITS_TOKEN"\n')
    assert len(read(scanner.scan_target(host.url("app"), parts=False))[0]) == 1
    read(scanner.scan_target(other.url("app"), parts=False))
    assert {given for _, given in other.asked} == {None}


def test_what_is_not_there_or_does_not_answer_is_a_gap_that_says_so(
    git_host: Start, scanner: Scanner
) -> None:
    host = git_host()
    for url in (host.url("none"), "http://127.0.0.1:1/app.git"):
        found, (gap,) = read(scanner.scan_target(url, parts=False))
        assert (found, gap.incomplete) == ([], True)
        assert "127.0.0.1" in gap.why


@pytest.mark.parametrize(("bound", "said"), [("largest", "GiB"), ("seconds", "longer than 0 s")])
def test_a_repository_that_takes_more_than_we_give_is_not_fetched(
    git_host: Start, home: Path, monkeypatch: pytest.MonkeyPatch, bound: str, said: str
) -> None:
    monkeypatch.setattr(mirror, "_NOTICE", 0.001)
    host = git_host()
    host.repository("app")
    host.push("app", {"large": secrets.token_hex(3_000_000)})
    wanted = mirror.Fetch(
        address=parse(host.url("app")),
        folder=home / "mirrors",
        hosts=operator_hosts(),
        environ=os.environ,
        **{bound: 0},  # type: ignore[arg-type]  # one of two numbers
    )
    with pytest.raises(SourceError, match=said) as caught, mirror.fetched(wanted):
        pass
    assert "git clone" in caught.value.remedy


def test_nothing_of_theirs_is_run_and_no_submodule_is_asked(
    git_host: Start, scanner: Scanner, token: Token, tmp_path: Path
) -> None:
    host, inner = git_host(), git_host()
    host.repository("app")
    mark = tmp_path / "ran"
    host.push(
        "app",
        {
            ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = {inner.url("x")}\n',
            ".gitattributes": "* filter=evil diff=evil\n",
            ".lfsconfig": f"[lfs]\n\turl = {inner.url('lfs')}\n",
            "a.env": f"TOKEN={token(1)}\n",
        },
    )
    place = host.root / "app.git"
    git(place, "config", "filter.evil.smudge", f"touch {mark}")
    found, _ = read(scanner.scan_target(host.url("app"), parts=False))
    assert len(found) == 1
    assert not mark.exists()
    assert inner.asked == []


@pytest.mark.parametrize("provider", ["github", "gitlab", "gitea", "bitbucket"])
def test_all_repositories_of_an_owner_are_read_each_by_its_name(
    git_host: Start, scanner: Scanner, token: Token, provider: str
) -> None:
    host = git_host()
    for number, name in enumerate(("acme/one", "acme/two", "acme/two.wiki"), 1):
        host.repository(name)
        host.push(name, {f"{number}.env": f"TOKEN={token(number)}\n"})
    offer(host, provider, ["acme/one", "acme/two", "acme/gone"])
    found, gaps = read(scanner.scan_target(f"{provider}:{host.name}/acme", parts=False))
    wiki = [] if provider == "bitbucket" else ["acme/two.wiki/3.env"]
    assert [each.finding.path for each in found] == ["acme/one/1.env", "acme/two/2.env", *wiki]
    assert all(isinstance(each.finding.provenance, InCommit) for each in found)
    (gap,) = [gap for gap in gaps if gap.incomplete]
    assert gap.path == "acme/gone"


def test_an_owner_that_is_not_there_is_a_gap(git_host: Start, scanner: Scanner) -> None:
    host = git_host()
    _, (gap,) = read(scanner.scan_target(f"gitea:{host.name}/nobody", parts=False))
    assert gap.incomplete
    assert "404" in gap.why


def offer(host: GitHost, provider: str, names: list[str]) -> None:
    """What the interface of such a host answers, in two pages."""
    first, second = names[:1], names[1:]
    rows: Callable[[str], dict[str, object]] = {
        "github": lambda n: {"full_name": n, "clone_url": host.url(n), "has_wiki": True},
        "gitea": lambda n: {"full_name": n, "clone_url": host.url(n), "has_wiki": True},
        "gitlab": lambda n: {
            "path_with_namespace": n, "http_url_to_repo": host.url(n), "wiki_enabled": True,
        },
        "bitbucket": lambda n: {
            "full_name": n, "links": {"clone": [{"name": "https", "href": host.url(n)}]},
        },
    }[provider]  # fmt: skip
    path = {
        "github": "/api/v3/orgs/acme/repos?type=all&per_page=100",
        "gitlab": "/api/v4/groups/acme/projects?include_subgroups=true&per_page=100&order_by=id",
        "gitea": "/api/v1/orgs/acme/repos?limit=50",
        "bitbucket": "/2.0/repositories/acme?pagelen=100",
    }[provider]
    following = f"http://{host.name}/page2"
    for at, page in ((path, first), ("/page2", second)):
        found: list[object] = [rows(name) for name in page]
        host.pages[at] = {"values": found} if provider == "bitbucket" else found
    if provider == "bitbucket":
        host.pages[path] = {"values": [rows(first[0])], "next": following}
    else:
        host.links[path] = f'<{following}>; rel="next"'
