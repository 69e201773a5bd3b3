"""``stanch scan``: find leaked credentials in files, repositories and streams."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import click

from stanch.scanner.cli.again import Question, asked
from stanch.scanner.companion import RemoteScan, waiting
from stanch.scanner.config import scan_settings
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence, Finding, Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.order import Order, scans, unfit
from stanch.scanner.reports import jsonl, note, progress
from stanch.scanner.suppression.judge import Review

if TYPE_CHECKING:  # most scans do without, and starting has to be quick
    from stanch.scanner.api import Scan
    from stanch.scanner.cli.anomaly import Watch

_LATER = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|image:|log:|[\w.-]+@[\w.-]+:)", re.IGNORECASE)


class Sight(Record):
    """How a person or a program sees the findings, and where."""

    form: str
    output: Path | None
    explain: bool
    quiet: bool
    show_suppressed: bool


Running: TypeAlias = "Scan | RemoteScan"
Begun: TypeAlias = "tuple[Running, Watch | None]"  # a scan, and the anomaly pass over it


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
    "--no-cache",
    "remembering",
    flag_value=False,
    default=True,
    help="Read all of the history, also what earlier scans have read.",
)
@click.option("--explain", is_flag=True, help="Say in sentences why each is a finding (table).")
@click.option("--quiet", is_flag=True, help="Print findings only: no summary, no skipped files.")
def command(  # noqa: PLR0913  # one argument for each option
    *,
    min_confidence: str | None,
    show_suppressed: bool,
    anomalies: bool,
    form: str,
    output: Path | None,
    explain: bool,
    quiet: bool,
    **what: Any,
) -> None:
    """Find leaked credentials in each TARGET: a file, a directory, a git repository, or `-`.

    Files that git ignores are not read, nor binary files; history is every version of every file
    that any branch or tag ever held.

    Exit codes: 0 clean, 1 findings (complete or not), 2 usage or configuration, 3 no findings but
    incomplete: something could not be read, which standard error names.
    """
    least = Confidence(min_confidence) if min_confidence else _least()
    order = Order(least=least, **what)
    sight = Sight(
        form=form,
        output=output,
        explain=explain,
        quiet=quiet,
        show_suppressed=show_suppressed,
    )
    for target in order.targets:
        _check(target)
    question = None if anomalies else _question(order)
    begun = _watched(order) if anomalies else [(scan, None) for scan in _begun(order)]
    sys.exit(_shown(order, begun, sight, question))


def _begun(order: Order) -> Sequence[Running]:
    """The scans that the order makes, in the process that has loaded what they need."""
    companion = waiting()
    return companion.scans(order) if companion else scans(order)


def _watched(order: Order) -> list[Begun]:
    """The same with the anomaly pass over each, which hears what the scan reads."""
    if order.staged:
        raise unfit("what is normal is learned from a whole tree, not from staged changes")
    from stanch.scanner.cli.anomaly import Watch  # noqa: PLC0415  # most scans do without
    from stanch.scanner.keyfile import data_directory, load_fingerprint_key  # noqa: PLC0415  # as above

    home = data_directory(os.environ)
    key = load_fingerprint_key(order.fingerprint_key, home)
    watches = [
        Watch(
            target,
            key=key,
            data_dir=home,
            stream=order.stream_name,
            accepted=lambda target=target: order.accepted(target).suppressor,  # type: ignore[misc]
        )
        for target in order.targets
    ]
    listening = {
        target: watch.listening for target, watch in zip(order.targets, watches, strict=True)
    }
    return list(zip(scans(order, listening), watches, strict=True))


def _question(order: Order) -> Question | None:
    """What is asked, when the answer may be kept for the next time."""
    if sys.argv[1:2] != ["scan"] or len(order.targets) != 1 or order.plugins:
        return None
    if order.staged or order.history is False or order.fingerprint_key or not order.remembering:
        return None
    (target,) = order.targets
    if scan_settings(Path(target)).rules:
        return None  # of the rules only our own are looked after
    from stanch.scanner.keyfile import data_directory, load_fingerprint_key  # noqa: PLC0415  # as above

    load_fingerprint_key(None, data_directory(os.environ))  # made now, if it never was
    baseline = str(order.baseline) if order.baseline else None
    return asked(sys.argv[2:], os.environ, target, baseline)


def _shown(order: Order, begun: Sequence[Begun], sight: Sight, question: Question | None) -> int:
    """Read, show what is found as it comes, and say how it went: the exit code."""
    gaps = note.Gaps()
    review = Review()
    shown: list[Finding] = []
    with _opened(sight.output) as out:
        for finding in _findings(order, begun, sight, gaps, review):
            shown.append(finding)
            if sight.form == "jsonl":
                out.write(jsonl.line(finding) + "\n")
            else:  # rich loads slowly: now, while others go on looking
                from stanch.scanner.reports import table  # noqa: PLC0415
        if sight.form == "table" and shown:
            table.write(shown, out, explain=sight.explain)
    found = [each for each in shown if each.waiver is None or not each.waiver.hides]
    for line in filter(None, map(note.waiver, shown)):
        click.echo(line, err=True)
    summaries = [scan.summary for scan, _ in begun]
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


def _least() -> Confidence:
    return scan_settings(Path.cwd()).min_confidence or Confidence.MEDIUM


def _findings(
    order: Order, begun: Sequence[Begun], sight: Sight, gaps: note.Gaps, review: Review
) -> Iterator[Finding]:
    """The findings worth showing, as they come; gaps are noted."""
    for scan, watch in begun:
        for result in _told(scan) if watch is None else watch.over(scan):
            if not isinstance(result, Match):
                gaps.add(result)
            elif order.wants(result.finding) and (
                review.add(result.finding) or sight.show_suppressed
            ):
                yield result.finding


def _told(scan: Running) -> Iterator[Match | Gap]:
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
        raise unfit("URLs, images and CI logs cannot be scanned yet")


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
