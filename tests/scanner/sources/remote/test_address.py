from __future__ import annotations

import secrets

import pytest

from stanch.scanner.model.error import UsageError
from stanch.scanner.sources.remote.address import parse


@pytest.mark.parametrize(
    ("text", "scheme", "host", "name"),
    [
        ("https://GitHub.com/acme/app.git", "https", "github.com", "acme/app"),
        ("https://git.example:8443/a/b/c", "https", "git.example:8443", "a/b/c"),
        ("ssh://git@host.example/acme/app.git", "ssh", "host.example", "acme/app"),
        ("git@host.example:acme/app.git", "ssh", "host.example", "acme/app"),
        ("http://127.0.0.1:8080/app.git", "http", "127.0.0.1:8080", "app"),
    ],
)
def test_an_address_has_its_parts(text: str, scheme: str, host: str, name: str) -> None:
    found = parse(text)
    assert (found.scheme, found.host, found.name) == (scheme, host, name)
    assert found.url == text


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c true",
        "git://host.example/app.git",
        "file:///etc",
        "https://host.example",
        "https://host.example/a?b=c",
        "https://-oProxyCommand=x/app",
        "git@-host:app",
        "ssh://git@host/-oProxyCommand",
        "https://host.example/a b",
        "https://[::1/app",
        "fd::17",
        "https://host.example/a\n[http]\nsslVerify=false",
        "ssh://git\n@host.example/a",
        "ssh://-oProxyCommand=x@host.example/a",
        'https://host.example/a"b',
        "https://host.example/a;b",
        "https://host.example/a\u202e",
    ],
)
def test_what_git_would_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    value = secrets.token_hex(8)
    with pytest.raises(UsageError) as caught:
        parse(f"https://me:{value}@host.example/app.git")
    assert value not in str(caught.value) + caught.value.remedy
    assert '[hosts."host.example"]' in caught.value.remedy
