"""What every ``stanch baseline`` command needs: the target, its findings, the file, the signer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from stanch.scanner.api import (
    Confidence,
    Match,
    Scanner,
    UsageError,
    configured_rules,
    run_key,
)
from stanch.scanner.local.settings import scan_settings
from stanch.scanner.model.record import Record
from stanch.scanner.reports import note
from stanch.scanner.scan.engine import plugins_of
from stanch.scanner.scan.target import kind_of, place_of
from stanch.scanner.scan.waivers import accepted_in, baseline_path
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.digest import Digester
from stanch.scanner.suppression.entry import Entry, Line, one_line
from stanch.scanner.suppression.expiry import expiry
from stanch.scanner.suppression.signature import WaiverSigner
from stanch.scanner.suppression.suppressor import Review

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ATTRIBUTE = "merge=union"
_STAND_INS = frozenset({"WHY", "REASON", ""})  # what our own commands print in a reason's place
PLUGIN = "detect-secrets/"  # how the rules of plugins begin


class Found(Record):
    """A scan's outcome: what is open, what is accepted, what was of use, whether all was read."""

    open: tuple[Match, ...]
    accepted: tuple[Match, ...]
    review: Review
    complete: bool


class BaselineTarget(Record):
    """A target and the file that speaks of it. ``today`` decides what is expired."""

    target: str
    path: Path
    today: date
    history: bool | None = None
    fingerprint_key: str | None = None
    plugins: tuple[str, ...] = ()
    waiver_key: str | None = None
    min_confidence: Confidence = Confidence.MEDIUM

    def baseline(self) -> Baseline:
        """The file's content. Raises :class:`UsageError` when there is none."""
        return Baseline.read(self.path)

    def find(self) -> Found:
        """Scan the target, with the values at hand, judged by the baseline as it is now."""
        accepted = accepted_in(
            place_of(self.target),
            today=self.today,
            file=self.path if self.path.exists() else None,
            waiver_key=self.waiver_key,
        )
        accepted.suppressor.allow(scan_settings(place_of(self.target)).allowlists)
        key = run_key(self.fingerprint_key)
        scanner = Scanner(
            key=key,
            rules=configured_rules(place_of(self.target)),
            suppressor=accepted.suppressor,
            plugins=plugins_of(self.plugins),
        )
        scan = scanner.scan_target(self.target, history=self.history)
        gaps, review = note.Gaps(), Review()
        opened: list[Match] = []
        hidden: list[Match] = []
        for result in scan:
            if not isinstance(result, Match):
                gaps.add(result)
            elif not review.add(result.finding):
                hidden.append(result)
            elif result.finding.confidence.rank >= self.min_confidence.rank:
                opened.append(result)
        for line in gaps.lines():
            if line.startswith("incomplete"):
                click.echo(line, err=True)
        return Found(
            open=tuple(opened),
            accepted=tuple(hidden),
            review=review,
            complete=scan.summary.complete,
        )

    @property
    def whole(self) -> bool:
        """Whether :meth:`find` looks at everything that the baseline speaks of."""
        root = baseline_path(place_of(self.target)).parent
        return self.history is not False and Path(self.target).resolve() == root

    def stale(self, found: Found, baseline: Baseline) -> tuple[Line, ...]:
        """Entries that hid nothing though everything was read; plugins' need a plugin to tell."""
        if not found.complete or not self.whole:
            return ()
        return tuple(
            each
            for each in found.review.stale(baseline)
            if self.plugins or (isinstance(each, Entry) and not each.rule.startswith(PLUGIN))
        )

    def entries(
        self,
        baseline: Baseline,
        matches: Iterable[Match],
        *,
        reason: str,
        author: str | None,
        expires: date | None,
        within: str | None = None,
    ) -> tuple[Entry, ...]:
        """An entry for each distinct credential, named by the first place it was seen in."""
        words = _meant(reason)
        digester = Digester(baseline.recipes[0])
        made: dict[str, Entry] = {}
        for match in matches:
            finding = match.finding
            digest = digester.digest(finding.provider, finding.kind, match.parts)
            made.setdefault(
                digest,
                Entry(
                    id=digest,
                    provider=finding.provider,
                    kind=finding.kind,
                    rule=finding.rule,
                    path=finding.path,
                    reason=words,
                    author=author or self.author(),
                    added=self.today,
                    expires=expires,
                    within=within,
                ),
            )
        return tuple(made.values())

    def author(self) -> str:
        """Who git says is working here. Raises :class:`UsageError` when it does not know."""
        done = subprocess.run(
            ["git", "config", "--get", "user.email"],
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not done.stdout.strip():
            raise UsageError(
                "nobody is named as the author of this waiver",
                remedy="give --author, or set git's user.email",
            )
        return one_line(done.stdout)


def signed(baseline: Baseline, lines: Iterable[Line], reference: str | None) -> tuple[Line, ...]:
    """The entries with a signature by the key behind the reference, as they are without one."""
    if reference is None:
        return tuple(lines)
    signer = WaiverSigner.load(reference)
    return tuple(signer.signed(baseline.recipes[0], each) for each in lines)


def ask_for_union(path: Path) -> bool:
    """Have git join both sides' entries when branches meet; True when the file was changed."""
    attributes = path.parent / ".gitattributes"
    text = attributes.read_text(encoding="utf-8") if attributes.exists() else ""
    wanted = f"{path.name} {_ATTRIBUTE}"
    if wanted in text.splitlines():
        return False
    gap = "" if not text or text.endswith("\n") else "\n"
    attributes.write_text(f"{text}{gap}{wanted}\n", encoding="utf-8")
    return True


class Target(click.Path):
    """A path that exists, or a target with a prefix, as `stanch scan` takes them."""

    def __init__(self) -> None:
        super().__init__(exists=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The target as it was given."""
        if kind_of(str(value)) is None:
            super().convert(value, param, ctx)
        return str(value)


def target_options(function: _Command) -> _Command:
    """Options that say what is scanned, and which file speaks of it."""
    for option in reversed(
        (
            click.option(
                "--target",
                type=Target(),
                help="What to scan. Default: the whole repository.",
            ),
            click.option(
                "--baseline",
                "file",
                type=click.Path(dir_okay=False, path_type=Path),
                help="Default: .stanch-baseline in the repository's root.",
            ),
            click.option(
                "--history/--no-history",
                default=None,
                help="Read git history. Default: when the target is the root of a repository.",
            ),
            click.option("--fingerprint-key", metavar="REF", help="As in `stanch scan`."),
            click.option(
                "--plugin", "plugins", metavar="NAME", multiple=True, help="As in `stanch scan`."
            ),
        )
    ):
        function = option(function)
    return function


def reason_options(function: _Command) -> _Command:
    """Options that an entry is made from."""
    for option in reversed(
        (
            click.option("--reason", default="", help="Why it is acceptable. Required."),
            click.option(
                "--expires",
                default="90d",
                show_default=True,
                metavar="DAY",
                help="Last day: 2027-01-31, 90d, or never.",
            ),
            click.option("--author", help="Default: git's user.email."),
            click.option(
                "--sign", metavar="REF", help="Waiver key to sign with: file:/path or env:NAME."
            ),
        )
    ):
        function = option(function)
    return function


def baseline_target(
    *,
    target: str | None,
    file: Path | None,
    history: bool | None = None,
    fingerprint_key: str | None = None,
    plugins: tuple[str, ...] = (),
) -> BaselineTarget:
    """The target that :func:`target_options` speak of."""
    usual = baseline_path(place_of(target) if target else Path())
    return BaselineTarget(
        target=target or str(usual.parent),
        path=file or usual,
        today=today(),
        history=history,
        fingerprint_key=fingerprint_key,
        plugins=plugins,
    )


def today() -> date:
    """The day on the reader's calendar, which is what an expiry is written in."""
    return date.today()  # noqa: DTZ011  # see above


def until(text: str) -> date | None:
    """The day that ``--expires`` names."""
    return expiry(text, today=today())


def _meant(reason: str) -> str:
    """The reason on one line; raises :class:`UsageError` when none was given."""
    words = one_line(reason)
    if not words:
        raise UsageError("no reason is given", remedy='say why it is acceptable: --reason "WHY"')
    if words.strip(".\u2026") in _STAND_INS:
        raise UsageError(
            f"{words} stands for a reason and is none",
            remedy="put a few words there: what it is, and why it may stay",
        )
    return words
