"""Baselines and comments are written by whoever writes code: none may stop or slow a scan."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.api import UsageError
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.digest import Recipe
from stanch.scanner.suppression.inline import has_markers, marker, neighbourhood

HEAD = Baseline(recipes=(Recipe(salt="5a" * 16),)).text().encode()
PIECES = (b"#", b"//", b"<!--", b"/*", b" ", b"\t", b"stanch: allow", b"pragma: allowlist secret",
          b"STANCH:Allow", b"pragma:whitelist secret", b"gitleaks:allow", b"-next",
          b"[", b"]", b"\n", b"\r", b"why", b"\xff", b"\x00", b"'", b'"')  # fmt: skip


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None, database=None)
def test_any_bytes_are_a_baseline_or_an_error_with_a_remedy(data: bytes) -> None:
    for text in (data, HEAD + data):
        with contextlib.suppress(UsageError):
            Baseline.parse(text, name="file")


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join), st.data())
@settings(max_examples=300, deadline=None, database=None)
def test_any_surroundings_are_read_without_looking_at_the_value(
    data: bytes, choice: st.DataObject
) -> None:
    start = choice.draw(st.integers(0, len(data)))
    end = choice.draw(st.integers(start, len(data)))
    around = neighbourhood(data, start, end)
    assert b"\n" not in around.before + around.after + around.previous
    assert data[:start].endswith(around.before)
    assert data[end:].startswith(around.after)
    given_waiver = marker(around, "github-pat")
    assert given_waiver is None or has_markers(data)
    assert given_waiver is None or given_waiver.void or given_waiver.reason


@pytest.mark.parametrize(
    "noise", [b" ", b"#", b"# ", b"<!--", b"<!-- ", b"/*", b"//  ", b"stanch:", b"-- \t", b"\t"]
)
def test_no_comment_takes_long_to_read(noise: bytes) -> None:
    data = noise * (1_000_000 // len(noise)) + b"VALUE" + noise * (1_000_000 // len(noise))
    start = data.index(b"VALUE")
    assert marker(neighbourhood(data, start, start + 5), "github-pat") is None
