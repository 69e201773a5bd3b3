"""Decides over a change: what is new, what was there before, what has been waived."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.hook.exclusions import NOTHING, Exclusion, filtered
from stanch.scanner.model.finding import Confidence, Finding, Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.scan.batch import Tally
from stanch.scanner.scan.pool import run
from stanch.scanner.sources.source import Milestone, Source


class Waived(Record):
    """A finding that was let through, and why."""

    finding: Finding
    reason: str


class ChangeResult(Record):
    """What a gate has found. ``known`` counts findings that the change did not bring."""

    findings: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
    known: int = 0
    gaps: tuple[Gap, ...] = ()
    contents: int = 0
    size: int = 0  # bytes

    @property
    def complete(self) -> bool:
        """Whether everything that should have been read was read."""
        return not any(gap.incomplete for gap in self.gaps)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 3 no findings but something was not read."""
        return 1 if self.findings else 0 if self.complete else 3

    def __add__(self, other: ChangeResult) -> ChangeResult:
        return ChangeResult(
            findings=self.findings + other.findings,
            waived=self.waived + other.waived,
            known=self.known + other.known,
            gaps=self.gaps + other.gaps,
            contents=self.contents + other.contents,
            size=self.size + other.size,
        )


class ChangeCheck:
    """Holds any number of sources against one engine; from ``min_confidence`` on findings block."""

    def __init__(
        self,
        engine: Engine,
        *,
        min_confidence: Confidence = Confidence.MEDIUM,
        exclusion: Exclusion = NOTHING,
        processes: int = 1,
    ) -> None:
        self._engine = engine
        self._min_confidence = min_confidence
        self._exclusion = exclusion
        self._processes = processes

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that this gate looks with, those of the configuration included."""
        return self._engine.rules

    def check(
        self, source: Source[Any], *, before: Callable[[], Source[Any]] | None = None
    ) -> ChangeResult:
        """The verdict over a source.

        ``before`` gives what the change replaces. It is read only when something was found: a
        credential that was already there is not brought by this change, wherever it moved.
        """
        matches: list[Match] = []
        gaps: list[Gap] = []
        contents = size = 0
        # Only an exclusion by value needs values outside of the process that found them.
        parts = bool(self._exclusion.secrets)
        source = filtered(source, self._exclusion)
        for result in run(source, self._engine, parts=parts, processes=self._processes):
            match result:
                case Match(finding=finding):
                    if finding.confidence.rank >= self._min_confidence.rank:
                        matches.append(result)
                case Gap():
                    gaps.append(result)
                case Tally():
                    contents += result.contents
                    size += result.size
                case Milestone():
                    pass  # a hook has nothing to resume
        known = self._known(before()) if matches and before else frozenset()
        new = [match for match in matches if match.finding.fingerprint not in known]
        findings, waived = self._judged(new)
        return ChangeResult(
            findings=findings,
            waived=waived,
            known=len(matches) - len(new),
            gaps=tuple(gaps),
            contents=contents,
            size=size,
        )

    def _judged(self, new: Iterable[Match]) -> tuple[tuple[Finding, ...], tuple[Waived, ...]]:
        judged = [(match.finding, self._reason(match)) for match in new]
        return (
            tuple(finding for finding, reason in judged if reason is None),
            tuple(
                Waived(finding=finding, reason=why) for finding, why in judged if why is not None
            ),
        )

    def _reason(self, match: Match) -> str | None:
        """Why the match may pass, or None."""
        waiver = match.finding.waiver
        if waiver is not None and waiver.hides:
            return f"{waiver.source}: {waiver.reason}"
        return self._exclusion.reason(match)

    def _known(self, source: Source[Any]) -> frozenset[str]:
        results = run(source, self._engine, parts=False, processes=self._processes)
        return frozenset(each.finding.fingerprint for each in results if isinstance(each, Match))


def fingerprints(findings: Iterable[Finding]) -> int:
    """How many distinct credentials the findings are about."""
    return len({finding.fingerprint for finding in findings})
