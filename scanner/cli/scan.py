"""``stanch scan``: find leaked credentials in files, repositories and streams."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from scanner.api import (
    Confidence,
    Finding,
    Match,
    Scan,
    Scanner,
    ScanSummary,
    UsageError,
    data_directory,
    load_fingerprint_key,
)
from scanner.reports import jsonl, note

_LATER = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|image:|log:|[\w.-]+@[\w.-]+:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to scan, as the command line says."""

    history: bool | None
    staged: bool
    least: Confidence


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
    default=Confidence.MEDIUM.value,
    show_default=True,
)
@click.option(
    "--fingerprint-key",
    metavar="REF",
    help="env:NAME (base64) or file:/path (32 bytes, mode 0600). Default: a key of your own, "
    "made on first use.",
)
@click.option("--quiet", is_flag=True, help="Print findings only: no summary, no skipped files.")
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    targets: tuple[str, ...],
    form: str,
    output: Path | None,
    history: bool | None,  # noqa: FBT001  # click passes by name
    staged: bool,  # noqa: FBT001  # click passes by name
    min_confidence: str,
    fingerprint_key: str | None,
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
        least=Confidence(min_confidence),
    )
    for target in targets:
        _check(target)
    key = load_fingerprint_key(fingerprint_key, data_directory(os.environ))
    scanner = Scanner(key=key)
    scans = [_start(scanner, target, options) for target in targets]
    gaps = note.Gaps()
    found: list[Finding] = []
    with _opened(output) as out:
        for finding in _findings(scans, options.least, gaps):
            found.append(finding)
            if form == "jsonl":
                out.write(jsonl.line(finding) + "\n")
        if form == "table" and found:
            from scanner.reports import table  # noqa: PLC0415  # rich loads slowly

            table.write(found, out)
    complete = all(scan.summary.complete for scan in scans)
    _say(found, [scan.summary for scan in scans], gaps, quiet=quiet and complete)
    sys.exit(1 if found else 0 if complete else 3)


def _start(scanner: Scanner, target: str, options: Options) -> Scan:
    if target == "-":
        if options.staged or options.history:
            raise _unfit("standard input has neither history nor staged changes")
        return scanner.scan_stream(sys.stdin.buffer, name="<stdin>", parts=False)
    return scanner.scan_path(
        Path(target),
        history=options.history,
        staged=options.staged,
        worktree=not options.staged,
        parts=False,
    )


def _findings(scans: list[Scan], least: Confidence, gaps: note.Gaps) -> Iterator[Finding]:
    """The findings worth showing, as they come; gaps are noted."""
    for scan in scans:
        for result in scan:
            if not isinstance(result, Match):
                gaps.add(result)
            elif result.finding.confidence.rank >= least.rank:
                yield result.finding


def _say(
    found: list[Finding], summaries: list[ScanSummary], gaps: note.Gaps, *, quiet: bool
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
