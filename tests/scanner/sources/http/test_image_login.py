"""Whose login goes where, as a registry may name any token server."""

from __future__ import annotations

import pytest

from stanch.scanner.local.hosts import Host as Known
from stanch.scanner.local.hosts import Hosts
from stanch.scanner.sources.image.access import Access
from stanch.scanner.sources.image.reference import parsed


@pytest.mark.parametrize(
    ("registry", "realm", "login"),
    [
        ("r.example/a", "r.example", True),
        ("r.example/a", "auth.r.example", False),
        ("r.example/a", "auth.docker.io", False),
        ("r.example/a", "named.example", True),
        ("evil.example/a", "named.example", False),
        ("evil.example/a", "evil.example", False),
        ("alpine", "auth.docker.io", True),
        ("alpine", "evil.example", False),
    ],
)
def test_whose_login_a_token_server_gets(registry: str, realm: str, *, login: bool) -> None:
    names = ("r.example", "docker.io", "named.example")
    hosts = Hosts(named={name: Known(name=name, user="ann", password="env:X") for name in names})
    entry = Access(parsed(registry), hosts)._for_realm(realm)
    assert bool(entry and entry.user) is login
