"""What a person types for an image, and what a registry wants to know."""

from __future__ import annotations

import pytest

from stanch.scanner.api import UsageError
from stanch.scanner.sources.image.challenge import challenges
from stanch.scanner.sources.image.reference import parsed


@pytest.mark.parametrize(
    ("said", "host", "name", "version", "scheme"),
    [
        ("alpine", "registry-1.docker.io", "library/alpine", "latest", "https"),
        ("team/app:1", "registry-1.docker.io", "team/app", "1", "https"),
        ("docker.io/app", "registry-1.docker.io", "library/app", "latest", "https"),
        ("ghcr.io/a/b/c:d", "ghcr.io", "a/b/c", "d", "https"),
        ("localhost/a", "localhost", "a", "latest", "http"),
        ("127.0.0.1:5000/a:b", "127.0.0.1:5000", "a", "b", "http"),
        ("r.example:5000/a", "r.example:5000", "a", "latest", "https"),
        ("http://r.example/a", "r.example", "a", "latest", "http"),
    ],
)
def test_references_are_read_as_engines_do(
    said: str, host: str, name: str, version: str, scheme: str
) -> None:
    found = parsed(said)
    assert (found.host, found.name, found.version, found.scheme) == (host, name, version, scheme)


@pytest.mark.parametrize(
    "said", ["UPPER", "a:b:c", "a@sha256:1", "a/../b", "h.example/", "a b", "h.example:x/a", "-/a"]
)
def test_what_names_no_image_is_a_mistake_of_the_user(said: str) -> None:
    with pytest.raises(UsageError, match="names no image"):
        parsed(said)


def test_several_challenges_in_one_header_are_told_apart() -> None:
    header = 'Basic realm="a, b", Negotiate, Bearer realm="https://x/t",service=y , scope="z"'
    found = {each.scheme: each.parameters for each in challenges(header)}
    assert found == {
        "basic": {"realm": "a, b"},
        "negotiate": {},
        "bearer": {"realm": "https://x/t", "service": "y", "scope": "z"},
    }
    assert list(challenges("")) == []
    assert list(challenges('"=,,;')) == []
