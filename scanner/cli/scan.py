"""``stanch scan``: find leaked credentials in files, repositories and streams."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import click

from scanner.accepted import Accepted, accepted_in, baseline_path, path_prefix
from scanner.api import (
    Confidence,
    Finding,
    FingerprintKey,
    Gap,
    Match,
    Scan,
    Scanner,
    ScanSummary,
    State,
    UsageError,
    data_directory,
    load_fingerprint_key,
)
from scanner.cli.again import Question, asked
from scanner.config import configured_rules, scan_settings
from scanner.reports import jsonl, note, progress
from scanner.suppression.judge import Review

if TYPE_CHECKING:  # most scans do without, and starting has to be quick
    from scanner.cli.anomaly import Watch

_LATER = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|image:|log:|[\w.-]+@[\w.-]+:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to scan, as the command line says."""

    history: bool | None
    staged: bool
    least: Confidence
    show_suppressed: bool = False
    anomalies: bool = False
    stream_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What hides findings, as the command line says."""

    file: Path | None
    waiver_key: str | None
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How a person or a program sees the findings, and where."""

    form: str
    output: Path | None
    explain: bool
    quiet: bool


Begun: TypeAlias = "tuple[Scan, Watch | None]"  # a scan, and the anomaly pass over it


@click.command("scan")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table")
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
    "--plugin",
    "plugins",
    metavar="NAME",
    multiple=True,
    help="Also run a plugin of detect-secrets: a class, `all`, file:///path or module:NAME.",
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
    "--no-cache", is_flag=True, help="Read all of the history, also what earlier scans have read."
)
@click.option("--explain", is_flag=True, help="Say in sentences why each is a finding (table).")
@click.option("--quiet", is_flag=True, help="Print findings only: no summary, no skipped files.")
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    targets: tuple[str, ...],
    form: str,
    output: Path | None,
    history: bool | None,  # noqa: FBT001  # click passes by name
    staged: bool,  # noqa: FBT001  # click passes by name
    min_confidence: str | None,
    fingerprint_key: str | None,
    baseline: Path | None,
    show_suppressed: bool,  # noqa: FBT001  # click passes by name
    waiver_key: str | None,
    plugins: tuple[str, ...],
    anomalies: bool,  # noqa: FBT001  # click passes by name
    stream_name: str | None,
    no_cache: bool,  # noqa: FBT001  # click passes by name
    explain: bool,  # noqa: FBT001  # click passes by name
    quiet: bool,  # noqa: FBT001  # click passes by name
) -> None:
    """Find leaked credentials in each TARGET: a file, a directory, a git repository, or `-`.

    Files that git ignores are not read, nor binary files; history is every version of every file
    that any branch or tag ever held.

    Exit codes: 0 clean, 1 findings (complete or not), 2 usage or configuration, 3 no findings but
    incomplete: something could not be read, which standard error names.
    """
    options = Options(
        history=history if history is not None or not staged else False,
        staged=staged,
        least=Confidence(min_confidence) if min_confidence else _least(),
        show_suppressed=show_suppressed,
        anomalies=anomalies,
        stream_name=stream_name,
    )
    acceptance = Acceptance(file=baseline, waiver_key=waiver_key, plugins=plugins)
    key = load_fingerprint_key(fingerprint_key, data_directory(os.environ))
    state = None if no_cache else State(folder=data_directory(os.environ) / "history")
    own_key = fingerprint_key is None
    question = _question(targets, options, acceptance) if own_key and state else None
    scans = _begun(targets, options, acceptance, key, state)
    sight = Sight(form=form, output=output, explain=explain, quiet=quiet)
    sys.exit(_shown(scans, options, sight, question))


def _begun(
    targets: tuple[str, ...],
    options: Options,
    acceptance: Acceptance,
    key: FingerprintKey,
    state: State | None,
) -> list[Begun]:
    """A scan of each target; every target is checked before the first is read."""
    if options.anomalies and options.staged:
        raise _unfit("what is normal is learned from a whole tree, not from staged changes")
    for target in targets:
        _check(target)
    gc.disable()
    scanners = _scanners(key, targets, acceptance, state)
    gc.freeze()  # the rules live until the end; children share them as long as nobody counts them
    gc.enable()
    watches = [_watch(target, key, options, acceptance) for target in targets]
    return [
        (_start(scanner, target, options, watch), watch)
        for scanner, target, watch in zip(scanners, targets, watches, strict=True)
    ]


def _question(
    targets: tuple[str, ...], options: Options, acceptance: Acceptance
) -> Question | None:
    """What is asked, when the answer may be kept for the next time."""
    if sys.argv[1:2] != ["scan"] or len(targets) != 1 or acceptance.plugins:
        return None
    if options.staged or options.anomalies or options.history is False:
        return None
    if scan_settings(Path(targets[0])).rules:
        return None  # of the rules only our own are looked after
    baseline = str(acceptance.file) if acceptance.file else None
    return asked(sys.argv[2:], os.environ, targets[0], baseline)


def _shown(scans: list[Begun], options: Options, sight: Sight, question: Question | None) -> int:
    """Read, show what is found as it comes, and say how it went: the exit code."""
    gaps = note.Gaps()
    review = Review()
    shown: list[Finding] = []
    with _opened(sight.output) as out:
        for finding in _findings(scans, options, gaps, review):
            shown.append(finding)
            if sight.form == "jsonl":
                out.write(jsonl.line(finding) + "\n")
        if sight.form == "table" and shown:
            from scanner.reports import table  # noqa: PLC0415  # rich loads slowly

            table.write(shown, out, explain=sight.explain)
    found = [each for each in shown if each.waiver is None or not each.waiver.hides]
    for line in filter(None, map(note.waiver, shown)):
        click.echo(line, err=True)
    summaries = [scan.summary for scan, _ in scans]
    complete = all(summary.complete for summary in summaries)
    _say(found, summaries, gaps, hidden=review.hidden, quiet=sight.quiet and complete)
    code = 1 if found else 0 if complete else 3
    if question is not None and all(each.gapless for each in summaries):
        _keep(question, sight, shown, review, code)
    return code


def _keep(
    question: Question, sight: Sight, shown: list[Finding], review: Review, code: int
) -> None:
    """Keep the answer for the next time, when it is text that depends on nothing else."""
    if shown and sight.form == "table":
        return  # which is made for a terminal's width and colours
    found = [each for each in shown if each.waiver is None or not each.waiver.hides]
    summary = note.summary(
        found, contents=note.contents(0, 0), size=0, seconds=None, hidden=review.hidden
    )
    question.keep(
        text="".join(jsonl.line(each) + "\n" for each in shown),
        output=str(sight.output) if sight.output else None,
        notes="".join(f"{line}\n" for line in map(note.waiver, shown) if line),
        summary="" if sight.quiet else summary,
        code=code,
    )


def _watch(
    target: str, key: FingerprintKey, options: Options, acceptance: Acceptance
) -> Watch | None:
    """The anomaly pass over a target, when it is asked for."""
    if not options.anomalies:
        return None
    from scanner.cli.anomaly import Watch  # noqa: PLC0415  # as above

    return Watch(
        target,
        key=key,
        data_dir=data_directory(os.environ),
        stream=options.stream_name,
        accepted=lambda: _accepted(target, acceptance).suppressor,
    )


def _start(scanner: Scanner, target: str, options: Options, watch: Watch | None) -> Scan:
    if target == "-":
        if options.staged or options.history:
            raise _unfit("standard input has neither history nor staged changes")
        name = options.stream_name or "<stdin>"
        stream = watch.listening(sys.stdin.buffer, name) if watch else sys.stdin.buffer
        return scanner.scan_stream(stream, name=name, parts=False)
    return scanner.scan_path(
        Path(target),
        history=options.history,
        staged=options.staged,
        worktree=not options.staged,
        parts=False,
    )


def _scanners(
    key: FingerprintKey, targets: tuple[str, ...], acceptance: Acceptance, state: State | None
) -> list[Scanner]:
    """A scanner for each target; those in the same folder of a repository share it."""
    plugins = None
    if acceptance.plugins:
        # Loaded late: the package takes longer to load than a small scan takes.
        from scanner.detectors.detect_secrets import PluginDetector  # noqa: PLC0415

        plugins = PluginDetector(acceptance.plugins)
    made: dict[tuple[Path, str], Scanner] = {}
    real = [Path("." if target == "-" else target) for target in targets]
    places = [(baseline_path(each), path_prefix(each)) for each in real]
    for place, target in zip(places, targets, strict=True):
        if place not in made:
            suppressor = _accepted(target, acceptance).suppressor
            made[place] = Scanner(
                key=key,
                rules=configured_rules(Path("." if target == "-" else target)),
                suppressor=suppressor,
                plugins=plugins,
                state=state,
            )
    return [made[place] for place in places]


def _least() -> Confidence:
    return scan_settings(Path.cwd()).min_confidence or Confidence.MEDIUM


def _accepted(target: str, acceptance: Acceptance) -> Accepted:
    return accepted_in(
        Path("." if target == "-" else target),
        today=date.today(),  # noqa: DTZ011  # an expiry is a day on the reader's calendar
        file=acceptance.file,
        waiver_key=acceptance.waiver_key,
    )


def _findings(
    scans: list[Begun], options: Options, gaps: note.Gaps, review: Review
) -> Iterator[Finding]:
    """The findings worth showing, as they come; gaps are noted."""
    for scan, watch in scans:
        for result in _told(scan) if watch is None else watch.over(scan):
            if not isinstance(result, Match):
                gaps.add(result)
            elif result.finding.confidence.rank >= options.least.rank and (
                review.add(result.finding) or options.show_suppressed
            ):
                yield result.finding


def _told(scan: Scan) -> Iterator[Match | Gap]:
    """The results of a scan, whose progress a person at a terminal sees."""
    with progress.progress() as scan.tell:
        yield from scan


def _say(
    found: list[Finding],
    summaries: list[ScanSummary],
    gaps: note.Gaps,
    *,
    hidden: int,
    quiet: bool,
) -> None:
    if quiet:
        return
    for line in gaps.lines():
        click.echo(line, err=True)
    read = note.contents(sum(s.files for s in summaries), sum(s.blobs for s in summaries))
    line = note.summary(
        found,
        contents=read,
        size=sum(s.size for s in summaries),
        seconds=sum(s.seconds for s in summaries),
        hidden=hidden,
    )
    click.echo(line, err=True)
    if not all(summary.complete for summary in summaries):
        click.echo("incomplete: this is not a clean bill; see above what was not read", err=True)


def _check(target: str) -> None:
    if _LATER.match(target) and not Path(target).exists():
        raise _unfit("URLs, images and CI logs cannot be scanned yet")


def _unfit(message: str) -> UsageError:
    return UsageError(
        message, remedy="name a file, a directory or a repository on this machine, or `-` alone"
    )


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {output}: {error.strerror}", remedy="name a file you may write"
        ) from error
    with file:
        yield file
