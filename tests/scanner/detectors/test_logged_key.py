"""A private key whose lines a logger has prefixed is still one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Match

Scan = Callable[..., list[Match]]


@pytest.mark.parametrize(
    "prefix",
    [
        "2025-07-01T10:00:{n:02d}Z app[1]: ",
        "Jul 01 10:00:00 host app[123]: ",
        "web_1  | ",
        "[INFO] key: ",
        "",
    ],
)
def test_each_line_may_have_something_in_front(scan: Scan, prefix: str) -> None:
    key = generate("{pem:rsa}", 1).decode()
    lines = "".join(prefix.format(n=n) + line + "\n" for n, line in enumerate(key.splitlines()))
    assert [m.finding.rule for m in scan(lines.encode(), "app.log")] == ["private-key"]
