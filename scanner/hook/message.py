"""What a person reads whose commit, push or message was stopped: what, where, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.hook.check import ChangeResult, fingerprints
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.note import Gaps
from stanch.scanner.reports.report import HERE, Waiving
from stanch.scanner.reports.report import what as named

_SHOWN = 20  # findings; the rest is counted
_FINGERPRINT = 15  # characters, the version among them: enough to name one
_COMMANDS = 3  # findings whose commands are written out
_HELP = """\
  how to go on:
    - take the value out of the change, and read it from the environment or a
      secret store
    - if it ever left this machine, rotate it: deleting it is not enough"""
_REWRITE = """\
    - it is part of commits already: amend or rebase them, a new commit does not
      remove it"""
_MARKER = """\
      or write a reason in its line, in a comment: # stanch: allow WHY"""


def blocked(result: ChangeResult, *, what: str, waiving: Waiving = HERE) -> Iterator[str]:
    """Lines for standard error; ``what`` names the thing that was stopped, e.g. ``commit``."""
    if result.findings:
        yield from _found(result.findings, what)
        yield _HELP
        if any(isinstance(each.provenance, InCommit) for each in result.findings):
            yield _REWRITE
        yield from _waive(result.findings, waiving)
    if result.waived:
        count = len(result.waived)
        yield f"stanch: {count} accepted {'finding' if count == 1 else 'findings'} let through"
    if not result.complete:
        gaps = Gaps()
        for gap in result.gaps:
            if gap.incomplete:
                gaps.add(gap)
        yield from (f"stanch: {line}" for line in gaps.lines())
        if not result.findings:
            yield f"stanch: {what} blocked: what is named above was not read"


def _waive(found: tuple[Finding, ...], waiving: Waiving) -> Iterator[str]:
    """The commands that accept what is no secret, ready to be pasted."""
    where = f" {waiving.where}" if waiving.where else ""
    yield f"    - if it is no secret, accept it{where}:"
    firsts = {finding.fingerprint: finding for finding in reversed(found)}
    ordered = list(reversed(firsts.values()))
    adds = [waiving.add(each) for each in ordered[:_COMMANDS]]
    yield from (f"        {line}" for line in (*waiving.before, *adds, *waiving.after))
    if len(ordered) > _COMMANDS:
        yield f"        (and {len(ordered) - _COMMANDS} more, each by its place)"
    if not waiving.where:
        yield _MARKER


def _found(found: tuple[Finding, ...], what: str) -> Iterator[str]:
    count = fingerprints(found)
    noun = "credential" if count == 1 else "credentials"
    yield f"stanch: {what} blocked: {count} {noun} in {_places(len(found))}"
    for finding in found[:_SHOWN]:
        yield f"  {place(finding)}  {title(finding)}"
        if finding.excerpt:
            yield f"      {escaped(finding.excerpt)}"
        yield (
            f"      {finding.fingerprint[:_FINGERPRINT]}  {finding.rule}, "
            f"{finding.confidence} confidence"
        )
        if finding.waiver is not None and finding.waiver.void:
            yield f"      not accepted: {escaped(finding.waiver.void)}"
    if len(found) > _SHOWN:
        yield f"  +{len(found) - _SHOWN} more"


def place(finding: Finding) -> str:
    """Path, line and column as editors jump to them, and the commit if there is one."""
    span = finding.span
    where = f"{escaped(finding.path)}:{span.line}:{span.column}"
    if finding.also:
        where += f" (and line {', '.join(str(each.line) for each in finding.also)})"
    return f"{where} in {finding.commit[:12]}" if finding.commit else where


def title(finding: Finding) -> str:
    """How bad it is and what, without its value."""
    return f"{finding.severity}  {escaped(named(finding))}  {escaped(finding.preview)}"


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"
