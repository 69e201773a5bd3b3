"""What a person reads whose commit, push or message was stopped: what, where, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.hook.check import ChangeResult, fingerprints
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.note import Gaps

_SHOWN = 20  # findings; the rest is counted
_HELP = """\
  how to go on:
    - take the value out of the change, and read it from the environment or a secret store
    - if it ever left this machine, rotate it: deleting it is not enough"""
_WAIVE = """\
    - if it is no secret: say so, with a reason, by `stanch baseline add`, or by a comment
      in its line: # stanch: allow REASON"""
_WAIVE_THERE = """\
    - if it is no secret: `stanch baseline add` on the branch that this goes into, or signed
      by somebody with the right"""
_REWRITE = """\
    - it is part of commits already: amend or rebase them, a new commit does not remove it"""


def blocked(verdict: ChangeResult, *, what: str) -> Iterator[str]:
    """Lines for standard error; ``what`` names the thing that was stopped, e.g. ``commit``."""
    if verdict.findings:
        yield from _found(verdict.findings, what)
        yield _HELP
        yield _WAIVE_THERE if any(map(_is_void, verdict.findings)) else _WAIVE
        if any(isinstance(each.provenance, InCommit) for each in verdict.findings):
            yield _REWRITE
    if verdict.waived:
        count = len(verdict.waived)
        yield f"stanch: {count} accepted {'finding' if count == 1 else 'findings'} let through"
    if not verdict.complete:
        gaps = Gaps()
        for gap in verdict.gaps:
            if gap.incomplete:
                gaps.add(gap)
        yield from (f"stanch: {line}" for line in gaps.lines())
        if not verdict.findings:
            yield f"stanch: {what} blocked: what is named above was not read"


def _found(found: tuple[Finding, ...], what: str) -> Iterator[str]:
    count = fingerprints(found)
    noun = "credential" if count == 1 else "credentials"
    yield f"stanch: {what} blocked: {count} {noun} in {_places(len(found))}"
    for finding in found[:_SHOWN]:
        yield f"  {place(finding)}  {title(finding)}"
        if finding.waiver is not None and finding.waiver.void:
            yield f"    not accepted: {escaped(finding.waiver.void)}"
    if len(found) > _SHOWN:
        yield f"  +{len(found) - _SHOWN} more"


def _is_void(finding: Finding) -> bool:
    return finding.waiver is not None and finding.waiver.void is not None


def place(finding: Finding) -> str:
    """Path, line and column as editors jump to them, and the commit if there is one."""
    span = finding.span
    where = f"{escaped(finding.path)}:{span.line}:{span.column}"
    if finding.also:
        where += f" (and line {', '.join(str(each.line) for each in finding.also)})"
    return f"{where} in {finding.commit[:12]}" if finding.commit else where


def title(finding: Finding) -> str:
    """What it is, without its value."""
    return (
        f"{finding.severity} {finding.provider} {finding.kind} {escaped(finding.preview)} "
        f"({finding.rule}, {finding.confidence} confidence)"
    )


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"
