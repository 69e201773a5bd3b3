"""Every item of a list of passwords in settings is a finding of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Match

Scan = Callable[..., list[Match]]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.toml", 'passwords = ["%s", "%s"]\n'),
        ("a.toml", "user_passwords = [\n  '%s',  # the first\n  '%s',\n]\n"),
        ("a.yaml", "passwords: [%s, %s]\n"),
        ("a.yaml", 'db:\n  passwords:\n    - %s\n    - "%s"\n  other: x\n'),
    ],
)
def test_each_item_is_a_finding(scan: Scan, path: str, text: str) -> None:
    values = [generate("{b64password}", seed)[:14].replace(b"=", b"x") for seed in (1, 2)]
    found = scan(text.encode() % tuple(values), path)
    assert [match.parts["value"].reveal() for match in found] == values


@pytest.mark.parametrize(
    "text", ['common_passwords = ["Kq7vXzm2WtR9"]\n', "passwords: []\nnames: [Kq7vXzm2WtR9]\n"]
)
def test_what_nobody_may_choose_is_none(scan: Scan, text: str) -> None:
    assert scan(text.encode(), "a.toml") == []
