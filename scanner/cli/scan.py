"""``stanch scan``: find leaked credentials in files, repositories and streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from stanch.scanner.cli.fleet_door import FLEET, WORKERS, elsewhere, the_file, waiving
from stanch.scanner.cli.option import EXCLUDE, PLUGIN, excluded
from stanch.scanner.cli.report_file import ReportOption, written
from stanch.scanner.local.settings import scan_settings
from stanch.scanner.local.stream import say
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.reports import jsonl, note, progress
from stanch.scanner.reports.registry import FORMATS, renderer
from stanch.scanner.reports.report import TAKE_UP, Report, Waiving
from stanch.scanner.scan.request import ScanRequest, scans, unfit
from stanch.scanner.scan.target import kind_of, log_of
from stanch.scanner.scan.trust import Trust
from stanch.scanner.suppression.suppressor import Review

if TYPE_CHECKING:  # most scans do without, and starting has to be quick
    from stanch.scanner.api import Scan
    from stanch.scanner.cli.anomaly_pass import Watch


class Sight(Record):
    """How a person or a program sees the findings, and where."""

    form: str
    output: Path | None
    explain: bool
    quiet: bool
    show_suppressed: bool
    away: bool = False  # others read it, and what is found names its target


SEEN = ("form", "output", "explain", "quiet", "show_suppressed")
Begun: TypeAlias = "tuple[Scan, Watch | None]"  # a scan, and the anomaly pass over it


@click.command("scan")
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table")
@click.option(
    "--report",
    "reports",
    type=ReportOption(),
    multiple=True,
    metavar="FORMAT=PATH",
    help=f"Also write a report: {', '.join(FORMATS)}. Several are possible.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.option(
    "--history/--no-history",
    default=None,
    help="Read git history. Default: when TARGET is the root of a repository.",
)
@click.option("--staged", is_flag=True, help="Read what is staged, instead of the working tree.")
@click.option(
    "--min-confidence",
    type=click.Choice([each.value for each in Confidence]),
    help="Default: what [scan] of stanch.toml says, else medium.",
)
@click.option(
    "--fingerprint-key",
    metavar="REF",
    help="env:NAME (base64) or file:/path (32 bytes, mode 0600). Default: a key of your own, "
    "made on first use.",
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Accepted findings. Default: .stanch-baseline in the repository's root, if it is there.",
)
@click.option("--show-suppressed", is_flag=True, help="Show what is accepted too, and why.")
@click.option(
    "--waiver-key",
    metavar="BASE64",
    envvar="STANCH_WAIVER_KEY",
    help="Only what the owner of this public key has signed is accepted.",
)
@click.option(
    "--trust",
    type=click.Choice([each.value for each in Trust]),
    default=Trust.TREE.value,
    show_default=True,
    help="Whose rules, baseline, markers and settings count: those of what is scanned (tree), of "
    "its default branch (base), or nobody's (none), for what somebody else has written.",
)
@PLUGIN
@EXCLUDE
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Of the history only commits since this day.",
)
@click.option(
    "--branch",
    "branches",
    metavar="NAME",
    multiple=True,
    help="Of the history only this branch. Several are possible.",
)
@click.option(
    "--anomalies",
    is_flag=True,
    help="Also show strings that do not belong where they are, and sudden changes.",
)
@click.option(
    "--stream-name",
    metavar="NAME",
    help="What standard input is, e.g. ci/build; with --anomalies its scans are compared.",
)
@click.option(
    "--no-cache",
    "use_cache",
    flag_value=False,
    default=True,
    help="Read all of the history, also what earlier scans have read.",
)
@FLEET
@WORKERS
@click.option("--explain", is_flag=True, help="Say in sentences why each is a finding (table).")
@click.option("--quiet", is_flag=True, help="Print findings only: no summary, no skipped files.")
def command(  # noqa: PLR0913  # one argument for each option
    *,
    min_confidence: str | None,
    trust: str,
    anomalies: bool,
    reports: tuple[tuple[str, str], ...],
    exclude: tuple[str, ...],
    since: datetime | None,
    fleet: Path | None,
    workers: int | None,
    **what: Any,
) -> None:
    """Find leaked credentials in each TARGET: a file, a directory, a git repository, or `-`.

    Without one it is the current directory. image:PATH is a container image (an OCI layout, or what
    `docker save` wrote), image:HOST/NAME:TAG one in a registry; all layers and platforms. log:FILE
    is the log of a CI job, or the archive of a run's; log:PROVIDER/... is what GitHub, GitLab,
    Jenkins, Buildkite, CircleCI, CloudWatch or CodeBuild keep (docs/logs.md). agents: is what AI
    assistants keep on this machine, agents:HOME in another home directory.

    Files that git ignores are not read, nor binary files that are neither archives nor documents
    (office files, PDF, SQLite, mail, compiled code); history is every version of every file
    that any branch or tag ever held.

    Exit codes: 0 clean, 1 findings (complete or not), 2 usage or configuration (also a target that
    does not exist), 3 no findings but incomplete: something could not be read, which standard error
    names.
    """
    what["since"] = since.date() if since else None
    sight = Sight(**{name: what.pop(name) for name in SEEN}, away=fleet is not None)
    if fleet is not None:
        what["targets"] = the_file(fleet, what, anomalies=anomalies)
    request = _request(fleet, Trust(trust), min_confidence, excluded(exclude), what)
    if fleet is not None:
        sys.exit(_from_afar(fleet, request, workers, sight, reports))
    begun = _watched(request) if anomalies else [(scan, None) for scan in scans(request)]
    sys.exit(_shown(request, begun, sight, reports))


def _from_afar(
    fleet: Path,
    request: ScanRequest,
    workers: int | None,
    sight: Sight,
    reports: Sequence[tuple[str, str]],
) -> int:
    """The same for what others read; they forget it once it is told."""
    with elsewhere(fleet, request, workers) as others:
        begun: list[Begun] = [(others.scan, None)]
        code = _shown(request, begun, sight, reports, lambda: waiving(fleet, request, others))
        others.told()
    return code


def _request(
    fleet: Path | None,
    trust: Trust,
    min_confidence: str | None,
    exclude: tuple[Allowlist, ...],
    what: dict[str, Any],
) -> ScanRequest:
    """What is asked for; every target is one that can be scanned."""
    place = Path.cwd() if fleet is None else fleet.absolute().parent
    shown = Confidence(min_confidence) if min_confidence else _configured(place, trust)
    what["targets"] = what["targets"] or (".",)
    return ScanRequest(min_confidence=shown, exclude=exclude, trust=trust, **what)


def _watched(request: ScanRequest) -> list[Begun]:
    """The same with the anomaly pass over each, which hears what the scan reads."""
    if request.staged:
        raise unfit("what is normal is learned from a whole tree, not from staged changes")
    for target in request.targets:
        kind = kind_of(target)
        if kind is not None and log_of(target) is None:
            raise unfit(f"anomalies are looked for in files, streams and logs, not in {kind.name}")
    from stanch.scanner.cli.anomaly_pass import Watch  # noqa: PLC0415  # most scans do without
    from stanch.scanner.local.fingerprint_key import data_directory, load_fingerprint_key  # noqa: PLC0415  # as above

    home = data_directory(os.environ)
    key = load_fingerprint_key(request.fingerprint_key, home)
    watches = [
        Watch(
            target,
            key=key,
            data_dir=home,
            stream=request.stream_name,
            accepted=lambda target=target: request.accepted(target).suppressor,  # type: ignore[misc]
        )
        for target in request.targets
    ]
    listening = {
        target: watch.listening for target, watch in zip(request.targets, watches, strict=True)
    }
    return list(zip(scans(request, listening), watches, strict=True))


def _shown(
    request: ScanRequest,
    begun: Sequence[Begun],
    sight: Sight,
    reports: Sequence[tuple[str, str]],
    accepting: Callable[[], Waiving] | None = None,
) -> int:
    """Read, show what is found as it comes, and say how it went: the exit code."""
    began = datetime.now(UTC)
    gaps = note.Gaps()
    review = Review()
    shown: list[Finding] = []
    with written(str(sight.output or "-")) as out:
        for finding in _findings(request, begun, sight, gaps, review):
            shown.append(finding)
            if sight.form == "jsonl":
                out.write(jsonl.line(finding) + "\n")
        summaries = [scan.summary for scan, _ in begun]
        plain = sight.form in {"table", "jsonl"} and not reports
        rules = {} if plain else request.rules()
        how = accepting() if accepting else _waiving(request.targets[0])
        report = _report(request, shown, gaps, began, rules=rules, waiving=how)
        if sight.form == "table":
            if shown:
                from stanch.scanner.reports import table  # noqa: PLC0415  # rich loads slowly

                table.write(report, out, explain=sight.explain)
        elif sight.form != "jsonl":
            out.write(renderer(sight.form)(report))
    _write(report, reports)
    for line in filter(None, map(note.waiver, shown)):
        say(line)
    complete = all(summary.complete for summary in summaries)
    quiet = sight.quiet and complete
    if request.selection and not quiet:
        say(f"of the history only commits {request.selection} were read")
    for line in () if quiet else chain.from_iterable(scan.covers for scan, _ in begun):
        say(line)
    _say(report, summaries, gaps, hidden=review.hidden, quiet=quiet, target=request.targets[0])
    return 1 if report.findings else 0 if complete else 3


def _write(report: Report, reports: Sequence[tuple[str, str]]) -> None:
    for form, path in reports:
        with written(path) as file:
            file.write(renderer(form)(report))


def _report(
    request: ScanRequest,
    shown: Sequence[Finding],
    gaps: note.Gaps,
    began: datetime,
    *,
    rules: Mapping[str, Rule],
    waiving: Waiving,
) -> Report:
    """What a report tells: what nobody has accepted, and what is accepted apart."""
    found = [each for each in shown if each.waiver is None or not each.waiver.hides]
    return Report(
        findings=tuple(found),
        gaps=gaps.incomplete,
        rules=rules,
        waived=tuple(
            (each, each.waiver.reason) for each in shown if each.waiver and each.waiver.hides
        ),
        scope=f"scan of {', '.join(request.targets)}",
        began=began,
        ended=datetime.now(UTC),
        waiving=waiving,
    )


def _waiving(target: str) -> Waiving:
    """How a finding of this target is accepted from where one stands."""
    if target == "-" or Path(target).resolve() == Path.cwd():
        return Waiving(commits=True)
    there = (f"git -C {quote(target)} {TAKE_UP}",) if Path(target).is_dir() else ()
    return Waiving(after=there, commits=True, target=target)


def _configured(place: Path, trust: Trust) -> Confidence:
    said = scan_settings(place).min_confidence if trust is Trust.TREE else None
    return said or Confidence.MEDIUM


def _findings(
    request: ScanRequest, begun: Sequence[Begun], sight: Sight, gaps: note.Gaps, review: Review
) -> Iterator[Finding]:
    """The findings worth showing, as they come; gaps are noted."""
    for scan, watch in begun:
        told = scan if sight.away else _told(scan)  # others tell how far they are
        for result in told if watch is None else watch.over(scan):
            if not isinstance(result, Match):
                gaps.add(result)
            elif request.wants(result.finding) and (
                review.add(result.finding) or sight.show_suppressed
            ):
                yield result.finding


def _told(scan: Scan) -> Iterator[Match | Gap]:
    """The results of a scan, whose progress a person at a terminal sees."""
    with progress.progress() as scan.tell:
        yield from scan


def _say(
    report: Report,
    summaries: list[ScanSummary],
    gaps: note.Gaps,
    *,
    hidden: int,
    quiet: bool,
    target: str,
) -> None:
    if quiet:
        return
    found = list(report.findings)
    for line in gaps.lines():
        say(line)
    read = note.contents(
        sum(s.files for s in summaries),
        sum(s.blobs for s in summaries),
        git=any(s.git for s in summaries if s.complete or s.blobs),
    )
    line = note.summary(
        found,
        contents=read,
        size=sum(s.size for s in summaries),
        seconds=sum(s.seconds for s in summaries),
        hidden=hidden,
    )
    say(line)
    if found:
        last = min(found, key=lambda each: tuple(Severity).index(each.severity))
        target = report.waiving.home(last)[1] or target
        waive = report.waiving.add(last)
        if target == "-":  # nothing of it is left to be looked up
            waive = "save it, and accept it there: stanch scan FILE"
        say(f"what is real: stanch respond {quote(target)}\nwhat is no secret: {waive}")
    if not all(summary.complete for summary in summaries):
        say("incomplete: this is not a clean bill; see above what was not read")
