"""``stanch baseline import`` and ``export``: from and to detect-secrets, losing no verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from stanch.scanner.api import UsageError
from stanch.scanner.cli.baseline.detect_secrets import Exchange, Text, Tied
from stanch.scanner.cli.baseline.place import ignored_places, stands
from stanch.scanner.cli.baseline.target import (
    BaselineTarget,
    ask_for_union,
    baseline_target,
    signed,
    target_options,
    until,
)
from stanch.scanner.detectors.plugins import detect_secrets
from stanch.scanner.reports.escape import escaped
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.entry import Entry, Imported
from stanch.scanner.suppression.secrets_baseline import SecretsBaseline, rendered

_HEAD = 64  # bytes
_LARGEST = 10_000_000  # bytes of a file that plugins are shown


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@target_options
@click.option("--expires", required=True, metavar="DAY", help="Last day: 2027-01-31, 90d, never.")
@click.option("--author", help="Default: git's user.email.")
@click.option("--sign", metavar="REF", help="Waiver key to sign with: file:/path or env:NAME.")
def import_(
    *, source: Path, expires: str, author: str | None, sign: str | None, **where: Any
) -> None:
    """Take over the entries of .secrets.baseline (detect-secrets) or .gitleaksignore.

    Entries whose value is still found become entries of ours. The others are kept by file and
    hash, as detect-secrets keeps them, and are listed. Custom plugins that the file names are code:
    name them with --plugin to run them.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    by = author or here.author()
    if not source.read_bytes()[:_HEAD].lstrip().startswith(b"{"):
        _import_places(here, source, by=by, expires=until(expires), sign=sign)
        return
    secrets = SecretsBaseline.read(source, author=by, added=here.today, expires=until(expires))
    baseline = here.baseline() if here.path.exists() else Baseline.fresh()
    found = here.find()
    exchange = Exchange((*found.open, *found.accepted), _plugins(here, secrets), _reader(here))
    tied = [exchange.tied(each) for each in secrets.entries]
    fresh = _entries(here, baseline, tied)
    loose = [each.entry for each in tied if not each.matches]
    both = baseline.adding(signed(baseline, [*fresh, *loose], sign))
    both.write(here.path)
    ask_for_union(here.path)
    _report(secrets, tied, loose)


def _import_places(
    here: BaselineTarget, source: Path, *, by: str, expires: date | None, sign: str | None
) -> None:
    """A file of places, as gitleaks and betterleaks keep them: what is found there is accepted."""
    places = ignored_places(source)
    baseline = here.baseline() if here.path.exists() else Baseline.fresh()
    found = here.find()
    known = (*found.open, *found.accepted)
    matches = {place: [match for match in known if stands(match, place)] for place in places}
    chosen = [match for place in places for match in matches[place]]
    reason = f"accepted in {source.name}"
    made = here.entries(baseline, chosen, reason=reason, author=by, expires=expires)
    baseline.adding(signed(baseline, made, sign)).write(here.path)
    ask_for_union(here.path)
    for place in places:
        if not matches[place]:
            click.echo(f"nothing is found at {escaped(place)}", err=True)
    click.echo(f"{here.path}: {len(made)} of {len(places)} places accepted")


@click.command("export")
@click.argument("out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@target_options
def export(*, out: Path, **where: Any) -> None:
    """Write what is accepted as a detect-secrets baseline FILE, which that tool reads as its own.

    Its hashes are unsalted SHA-1: whoever reads the file can try words against it.

    Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.
    """
    here = baseline_target(**where)
    baseline = here.baseline()
    accepted = here.find().accepted
    exchange = Exchange(accepted, _plugins(here, None), _reader(here))
    entries: dict[tuple[str, str, str], Imported] = {}
    unknown = 0
    for match in accepted:
        waiver = match.finding.waiver
        made = exchange.exported(
            match,
            reason=waiver.reason if waiver else "",
            author=(waiver.author if waiver else None) or "unknown",
            today=here.today,
        )
        unknown += not made
        entries.update({(each.path, each.sha1, each.detector): each for each in made})
    entries.update({(each.path, each.sha1, each.detector): each for each in baseline.imported})
    settings = detect_secrets.package_settings()
    text = rendered(
        entries.values(),
        version=settings.version,
        plugins=settings.plugins,
        filters=settings.filters,
        now=datetime.now(UTC),
    )
    _write(out, text)
    click.echo(f"{out}: {len(entries)} entries")
    if unknown:
        click.echo(f"{unknown} accepted places are left out: detect-secrets does not find them")


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}", remedy="name a file you may write"
        ) from error


def _plugins(
    here: BaselineTarget, secrets: SecretsBaseline | None
) -> detect_secrets.PluginDetector:
    """Every built-in plugin and those of the command line, with the options of the baseline."""
    options: dict[str, dict[str, object]] = {}
    for each in secrets.plugins if secrets else ():
        rest = {name: value for name, value in each.items() if name not in {"name", "path"}}
        if each.get("path") is None and rest:
            options[str(each.get("name"))] = rest
    return detect_secrets.PluginDetector(("all", *here.plugins), options=options)


def _reader(here: BaselineTarget) -> Text:
    def text(path: str) -> str | None:
        place = (Path(here.target) / path).resolve()
        if not place.is_relative_to(Path(here.target).resolve()) or not place.is_file():
            return None
        with place.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", errors="replace")

    return text


def _entries(here: BaselineTarget, baseline: Baseline, tied: list[Tied]) -> list[Entry]:
    made: list[Entry] = []
    for each in tied:
        made += here.entries(
            baseline,
            each.matches,
            reason=each.entry.reason,
            author=each.entry.author,
            expires=each.entry.expires,
        )
    return made


def _report(secrets: SecretsBaseline, tied: list[Tied], loose: list[Imported]) -> None:
    carried = len(tied) - len(loose)
    click.echo(f"{len(tied)} entries read: {carried} carried over, {len(loose)} kept by hash")
    for each in loose:
        click.echo(f"kept by hash: {each.path}:{each.line} {each.detector}")
    real = [each.entry for each in tied if each.entry.is_secret]
    for entry in real:
        click.echo(f"audited as real, hidden as before: {entry.path}:{entry.line}")
    if real:
        click.echo("run `stanch respond` to contain what is real")
    default = {each["path"] for each in detect_secrets.package_settings().filters}
    default.add("detect_secrets.filters.common.is_ignored_due_to_verification_policies")
    for used in secrets.filters:
        if used.get("path") not in default:
            click.echo(f"not taken over: filter {used.get('path')}")
    for plugin in secrets.plugins:
        if plugin.get("path"):
            click.echo(f"not run: plugin {plugin.get('name')} in {plugin['path']}; see --plugin")
