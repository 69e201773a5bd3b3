"""``stanch ci``: check what a pull request, a push or a branch brings, and report it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import click

from stanch.scanner import __version__
from stanch.scanner.api import Confidence, Finding, Rule, UsageError
from stanch.scanner.hook.build import WAIVER_KEY, Choice, gate, trusted_key
from stanch.scanner.hook.change.ci_range import CiRange, Range, commits_of, proposed
from stanch.scanner.hook.change.commit_changes import Blobs, committed, earlier
from stanch.scanner.hook.change.hook_repository import checkout
from stanch.scanner.hook.check import ChangeResult
from stanch.scanner.hook.message import blocked
from stanch.scanner.hook.policy.waiver_policy import SETTING, WaiverPolicy, Waivers, of_checkout
from stanch.scanner.model.record import Record
from stanch.scanner.reports import annotation, gitlab, jsonl, junit, sarif, step_summary

_STANDARD_OUTPUT = "-"


class Checked(Record):
    """All that a report may tell. Instants are in UTC."""

    verdict: ChangeResult
    rules: Mapping[str, Rule]
    title: str
    began: datetime
    ended: datetime

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What blocks."""
        return self.verdict.findings


def _sarif(told: Checked) -> str:
    return sarif.render(
        told.findings, rules=told.rules, gaps=told.verdict.gaps, version=__version__
    )


def _gitlab(told: Checked) -> str:
    return gitlab.render(
        told.findings,
        rules=told.rules,
        gaps=told.verdict.gaps,
        version=__version__,
        began=told.began,
        ended=told.ended,
    )


def _junit(told: Checked) -> str:
    seconds = (told.ended - told.began).total_seconds()
    return junit.render(told.findings, gaps=told.verdict.gaps, seconds=seconds)


def _jsonl(told: Checked) -> str:
    return "".join(jsonl.line(each) + "\n" for each in told.findings)


def _annotations(told: Checked) -> str:
    return "".join(line + "\n" for line in annotation.lines(told.findings, told.verdict.gaps))


def _summary(told: Checked) -> str:
    return step_summary.render(
        told.findings,
        gaps=told.verdict.gaps,
        waived=[(each.finding, each.reason) for each in told.verdict.waived],
        scope=told.title,
    )


REPORTS: Mapping[str, Callable[[Checked], str]] = {
    "sarif": _sarif,
    "gitlab": _gitlab,
    "junit": _junit,
    "jsonl": _jsonl,
    "annotations": _annotations,
    "summary": _summary,
}


class _Report(click.ParamType[tuple[str, str]]):
    """``FORMAT=PATH``, split."""

    name = "report"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The format and the path."""
        form, _, path = str(value).partition("=")
        if form not in REPORTS or not path:
            self.fail(f"`{value}` is not FORMAT=PATH with one of {', '.join(REPORTS)}", param, ctx)
        return form, path


@click.command("ci")
@click.option("--base", metavar="REF", help="Where the change goes. Default: as the pipeline says.")
@click.option("--head", metavar="REF", help="The change. Default: as the pipeline says.")
@click.option(
    "--report",
    "reports",
    type=_Report(),
    multiple=True,
    metavar="FORMAT=PATH",
    help=f"Write a report: {', '.join(REPORTS)}; `-` is standard output. Several are possible.",
)
@click.option(
    "--min-confidence",
    type=click.Choice([each.value for each in Confidence]),
    default=Confidence.MEDIUM.value,
    show_default=True,
    help="What blocks.",
)
@click.option("--baseline", metavar="FILE", help="Accepted findings. Default: .stanch-baseline.")
@click.option(
    "--waiver-key",
    metavar="BASE64",
    envvar=WAIVER_KEY,
    help="Only what the owner of this public key has signed is accepted.",
)
@click.option(
    "--waivers",
    type=click.Choice([each.value for each in Waivers]),
    envvar=SETTING,
    help="Whose unsigned waivers count: the target branch's (base), or the change's own as well "
    "(head). Default: [ci] waivers in the target branch's stanch.toml, else base.",
)
@click.option(
    "--fingerprint-key",
    metavar="REF",
    help="env:NAME or file:/path. With one key for all runs fingerprints stay the same.",
)
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    base: str | None,
    head: str | None,
    reports: tuple[tuple[str, str], ...],
    min_confidence: str,
    baseline: str | None,
    waiver_key: str | None,
    waivers: str | None,
    fingerprint_key: str | None,
) -> None:
    """Check every content that the commits of a pull request, a push or a branch bring.

    The range is found by itself in GitHub Actions, GitLab CI and Jenkins; elsewhere it is what the
    branch adds to the default one. In GitHub Actions findings are annotated, and the job gets a
    summary.

    Exit codes: 0 clean, 1 findings that nobody has waived, 2 usage or configuration, 3 something
    could not be read (a shallow clone, for example).
    """
    choice = Choice(
        min_confidence=Confidence(min_confidence),
        baseline=baseline,
        fingerprint_key=fingerprint_key,
        waiver_key=waiver_key,
        processes=len(os.sched_getaffinity(0)),
    )
    ci_range = _named(proposed(os.environ), base, head)
    told = _checked(Path.cwd(), os.environ, choice, ci_range, waivers)
    for form, path in reports:
        _write(path, REPORTS[form](told))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _tell_github(told, asked={form for form, _ in reports})
    for line in blocked(told.verdict, what="merge"):
        click.echo(line, err=True)
    click.echo(_closing(told), err=True)
    sys.exit(told.verdict.exit_code)


def _checked(
    place: Path,
    environ: Mapping[str, str],
    choice: Choice,
    ci_range: CiRange,
    waivers: str | None,
) -> Checked:
    began = datetime.now(UTC)
    today = date.today()  # noqa: DTZ011  # an expiry is a day on the reader's calendar
    with checkout(place, environ) as repository:
        found: Range = commits_of(repository, ci_range)
        policy = WaiverPolicy(
            repository=repository,
            target=found.target,
            asked=waivers,
            waiver_key=trusted_key(choice, environ),
            today=today,
        )
        wanted = of_checkout(choice, place, repository.layout.top, today=today)
        suppressor = policy.suppressor(wanted, head=found.head)
        door = gate(choice, environ, suppressor=suppressor, place=place)
        changes = committed(repository, found.commits)
        verdict = door.check(
            Blobs(repository=repository, blobs=changes.new, places=changes.places),
            before=lambda: Blobs(repository=repository, blobs=earlier(changes)),
        )
    return Checked(
        verdict=verdict,
        rules={rule.id: rule for rule in door.rules},
        title=found.title,
        began=began,
        ended=datetime.now(UTC),
    )


def _named(ci_range: CiRange, base: str | None, head: str | None) -> CiRange:
    """The pipeline's ci_range, or what the command line names instead."""
    if base is None and head is None:
        return ci_range
    return CiRange(
        platform="as named",
        head=head or "HEAD",
        bases=(base,) if base else ci_range.bases,
        exact=False,
        targets=(base,) if base else ci_range.targets,
    )


def _tell_github(told: Checked, *, asked: set[str]) -> None:
    if "annotations" not in asked:
        click.echo(_annotations(told), nl=False)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and "summary" not in asked:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(_summary(told))
        except OSError as error:
            click.echo(f"stanch: no step summary: {error.strerror}", err=True)


def _write(path: str, text: str) -> None:
    if path == _STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", remedy="name a file you may write"
        ) from error


def _closing(told: Checked) -> str:
    verdict = told.verdict
    known = f" · {verdict.known} were there before" if verdict.known else ""
    return (
        f"checked {told.title}: {len(verdict.findings)} findings{known} · "
        f"{verdict.contents:,} contents · {verdict.size / 1e6:.1f} MB"
    )
