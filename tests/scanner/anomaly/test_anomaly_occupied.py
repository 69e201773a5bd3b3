from __future__ import annotations

from dataclasses import replace

import pytest

from stanch.scanner.anomaly.reported_lines import Occupied
from stanch.scanner.api import Confidence, Finding, InWorktree, Severity, Span

FINDING = Finding(
    rule="some-rule",
    provider="acme",
    kind="api-token",
    provenance=InWorktree(path="a.py"),
    span=Span(line=20, column=1, end_line=22, end_column=9),
    fingerprint="v1:0",
    preview="<40 bytes>",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    reason="shape",
)


@pytest.mark.parametrize(
    ("line", "sure", "doubtful"),
    [(11, False, False), (12, True, False), (20, True, True), (22, True, True), (30, True, False)],
)
def test_a_doubtful_finding_speaks_for_its_own_lines_only(
    line: int, *, sure: bool, doubtful: bool
) -> None:
    at = replace(FINDING, span=Span(line=line, column=1, end_line=line, end_column=2))
    for confidence, expected in ((Confidence.HIGH, sure), (Confidence.LOW, doubtful)):
        occupied = Occupied()
        occupied.add(replace(FINDING, confidence=confidence))
        assert occupied.covers(at) is expected
        assert not occupied.covers(replace(at, provenance=InWorktree(path="b.py")))
