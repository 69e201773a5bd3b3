"""``stanch ci``: check what a pull request, a push or a branch brings, and report it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import click

from stanch.scanner.api import Confidence, Gap, SourceError
from stanch.scanner.cli.option import EXCLUDE, PLUGIN, excluded
from stanch.scanner.cli.report_file import ReportOption, written
from stanch.scanner.hook.build import WAIVER_KEY, Choice, accepted, gate, trusted_key
from stanch.scanner.hook.change.ci_pipeline import CiRange, proposed
from stanch.scanner.hook.change.ci_range import Range, commits_of
from stanch.scanner.hook.change.commit_changes import committed, earlier
from stanch.scanner.hook.change.hook_repository import checkout
from stanch.scanner.hook.check import ChangeResult
from stanch.scanner.hook.message import blocked
from stanch.scanner.hook.policy.waiver_policy import SETTING, WaiverPolicy, Waivers, of_checkout
from stanch.scanner.local.stream import say
from stanch.scanner.model.record import Record
from stanch.scanner.reports.registry import FORMATS, renderer
from stanch.scanner.reports.report import TAKE_UP, Report, Waiving
from stanch.scanner.scan.trust import Standing, Trust, of_commit, standing
from stanch.scanner.sources.git.blobs import Blobs
from stanch.scanner.sources.git.message import messages_of
from stanch.scanner.sources.git.query import commit_id, lines
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.suppression.suppressor import Suppressor

_ACCEPT = (f"git {TAKE_UP}", "git commit -m 'Accept a finding'")
_PUSH = "git push"


@click.command("ci")
@click.option("--base", metavar="REF", help="Where the change goes. Default: as the pipeline says.")
@click.option("--head", metavar="REF", help="The change. Default: as the pipeline says.")
@click.option(
    "--report",
    "reports",
    type=ReportOption(),
    multiple=True,
    metavar="FORMAT=PATH",
    help=f"Write a report: {', '.join(FORMATS)}; `-` is standard output. Several are possible.",
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
    "--trust",
    type=click.Choice([each.value for each in Trust]),
    default=Trust.BASE.value,
    show_default=True,
    help="Whose rules and waivers count: the target branch's (base), those of the change as well "
    "(tree), or only what the command line and the environment name (none).",
)
@click.option(
    "--fingerprint-key",
    metavar="REF",
    help="env:NAME or file:/path. With one key for all runs fingerprints stay the same.",
)
@EXCLUDE
@PLUGIN
def command(  # noqa: PLR0913, PLR0917  # one argument for each option
    base: str | None,
    head: str | None,
    reports: tuple[tuple[str, str], ...],
    min_confidence: str,
    baseline: str | None,
    waiver_key: str | None,
    waivers: str | None,
    trust: str,
    fingerprint_key: str | None,
    exclude: tuple[str, ...],
    plugins: tuple[str, ...],
) -> None:
    """Check every content that the commits of a pull request, a push or a branch bring.

    The range is found by itself in GitHub Actions, GitLab CI, Jenkins, Azure Pipelines, Bitbucket,
    CircleCI and Buildkite; elsewhere it is what the
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
        trust=Trust(trust),
        exclude=excluded(exclude),
        plugins=plugins,
    )
    ci_range = _named(proposed(os.environ), base, head)
    result, report = _checked_or_told(choice, ci_range, waivers, reports)
    _tell(report, reports)
    for line in blocked(result, what=_stopped(ci_range), waiving=report.waiving):
        say(line)
    say(_closing(result, report.scope))
    sys.exit(result.exit_code)


def _checked_or_told(
    choice: Choice,
    ci_range: CiRange,
    waivers: str | None,
    reports: tuple[tuple[str, str], ...],
) -> tuple[ChangeResult, Report]:
    """The outcome; what a pipeline collects also says why there is none."""
    try:
        return _checked(Path.cwd(), os.environ, choice, ci_range, waivers)
    except SourceError as error:
        gap = Gap(path=ci_range.platform, why=f"{error}: {error.remedy}", incomplete=True)
        _tell(Report(findings=(), gaps=(gap,), scope=ci_range.platform), reports)
        raise


def _checked(
    place: Path,
    environ: Mapping[str, str],
    choice: Choice,
    ci_range: CiRange,
    waivers: str | None,
) -> tuple[ChangeResult, Report]:
    began = datetime.now(UTC)
    with checkout(place, environ) as repository:
        found: Range = commits_of(repository, ci_range)
        believed = _believed(repository, found, place, environ, choice, waivers)
        door = gate(choice, environ, suppressor=believed.suppressor, standing=believed.standing)
        changes = committed(repository, found.commits)
        result = door.check(
            Blobs(repository=repository, blobs=changes.new, places=changes.places),
            before=lambda: Blobs(repository=repository, blobs=earlier(changes)),
        ) + door.check(messages_of(repository, found.commits))
        waiving = _waiving(repository, ci_range, own=believed.own)
    return result, Report(
        findings=result.findings,
        gaps=result.gaps,
        rules={rule.id: rule for rule in door.rules},
        waived=tuple((each.finding, each.reason) for each in result.waived),
        scope=found.title,
        began=began,
        ended=datetime.now(UTC),
        waiving=waiving,
    )


def _stopped(ci_range: CiRange) -> str:
    """What a red pipeline stops."""
    return "push" if ci_range.platform.endswith("push") else "merge"


def _waiving(repository: Repository, ci_range: CiRange, *, own: bool) -> Waiving:
    """Who accepts a finding of this change, by which commands."""
    # Where nothing is fetched from elsewhere there is nowhere to push to.
    remote = bool(lines(repository, "for-each-ref", "--count=1", "refs/remotes"))
    after = (*_ACCEPT, _PUSH) if remote else _ACCEPT
    if own:
        return Waiving(after=after)
    names = (each for each in ci_range.targets if not each.endswith("HEAD"))
    target = next((each for each in names if commit_id(repository, each)), "origin/main")
    branch = target.removeprefix("origin/")
    switch = f"git switch {branch}"
    return Waiving(
        where=f"on {branch}, by somebody who may push there" if remote else f"on {branch}",
        before=("git fetch origin", switch, "git pull") if remote else (switch,),
        after=after,
        commits=True,
    )


class _Believed(Record):
    """What counts for a change, and whether it may accept findings of its ``own``."""

    standing: Standing
    suppressor: Suppressor
    own: bool


def _believed(  # all that says whom to believe
    repository: Repository,
    found: Range,
    place: Path,
    environ: Mapping[str, str],
    choice: Choice,
    waivers: str | None,
) -> _Believed:
    today = date.today()  # noqa: DTZ011  # an expiry is a day on the reader's calendar
    if choice.trust is Trust.NONE:
        nobody = standing(Trust.NONE, place)
        suppressor = accepted(choice, environ, place, today=today, standing=nobody)
        return _Believed(standing=nobody, suppressor=suppressor, own=False)
    tree = choice.trust is Trust.TREE
    policy = WaiverPolicy(
        repository=repository,
        target=found.target,
        asked=Waivers.HEAD if tree else waivers,
        waiver_key=trusted_key(choice, environ),
        today=today,
    )
    wanted = of_checkout(choice, place, repository.layout.top, today=today)
    return _Believed(
        standing=standing(Trust.TREE, place) if tree else of_commit(repository, found.target),
        suppressor=policy.suppressor(wanted, head=found.head),
        own=policy.change_may_accept,
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
        named=tuple((name, ref) for name, ref in (("--base", base), ("--head", head)) if ref),
    )


def _tell(report: Report, reports: tuple[tuple[str, str], ...]) -> None:
    """Write the reports that were asked for, and those that GitHub shows by itself."""
    for form, path in reports:
        with written(path) as out:
            out.write(renderer(form)(report))
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    asked = {form for form, _ in reports}
    if "annotations" not in asked:
        click.echo(renderer("annotations")(report), nl=False)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and "summary" not in asked:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(renderer("summary")(report))
        except OSError as error:
            click.echo(f"stanch: no step summary: {error.strerror}", err=True)


def _closing(result: ChangeResult, scope: str) -> str:
    known = f" · {result.known} were there before" if result.known else ""
    count = len(result.findings)
    return (
        f"checked {scope}: {count} finding{'' if count == 1 else 's'}{known} · "
        f"{result.contents:,} contents · {result.size / 1e6:.1f} MB"
    )
