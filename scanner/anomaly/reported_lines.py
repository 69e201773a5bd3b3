"""Where findings of rules already are, so that nothing is reported twice."""

from __future__ import annotations

from stanch.scanner.model.finding import Confidence, Finding

NEAR = 8
"""Lines: as far apart as the halves of one credential may be, whose finding stands at one half."""


class Occupied:
    """The lines of each path that a rule has spoken about."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[int, int]]] = {}

    def add(self, finding: Finding) -> None:
        """Note a rule's finding; a doubtful one speaks for its own lines only."""
        near = NEAR if finding.confidence.rank >= Confidence.MEDIUM.rank else 0
        reach = (finding.span.line - near, finding.span.end_line + near)
        self._lines.setdefault(finding.path, []).append(reach)

    def covers(self, finding: Finding) -> bool:
        """Whether a rule's finding is at the place, or so close that it may be the same."""
        line = finding.span.line
        return any(first <= line <= last for first, last in self._lines.get(finding.path, ()))
