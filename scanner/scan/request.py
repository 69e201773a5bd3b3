"""What a command asks to be scanned, and the scans that this makes.

A request is plain values; :func:`scans` loads what scanning takes.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stanch.scanner.local.fingerprint_key import data_directory, run_key
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence, Finding
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.scan.engine import plugins_of
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.scan.stage import Asked, Scan
from stanch.scanner.scan.target import kind_of, place_of
from stanch.scanner.scan.trust import Trust, standing
from stanch.scanner.scan.waivers import Accepted, accepted_in, baseline_path, path_prefix
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.discovery import enclosing

if TYPE_CHECKING:
    from stanch.scanner.sources.git.revisions import Selection

STDIN = "-"

Listening = Callable[[BinaryIO, str], BinaryIO]
"""Gives what to read in the place of a stream, by its name."""

_NONE: Mapping[str, Listening] = {}


class ScanRequest(Record):
    """Targets and how to scan them, by the names of the options of ``stanch scan``."""

    targets: tuple[str, ...]
    history: bool | None = None
    staged: bool = False
    stream_name: str | None = None
    baseline: Path | None = None
    waiver_key: str | None = None
    plugins: tuple[str, ...] = ()
    fingerprint_key: str | None = None
    use_cache: bool = True
    min_confidence: Confidence = Confidence.LOW
    trust: Trust = Trust.TREE
    exclude: tuple[Allowlist, ...] = ()
    since: date | None = None
    branches: tuple[str, ...] = ()

    @property
    def selection(self) -> Selection | None:
        """The part of a history that is asked for; None for all of it."""
        if not self.since and not self.branches:
            return None
        from stanch.scanner.sources.git.revisions import Selection  # noqa: PLC0415  # rare

        return Selection(since=self.since, branches=self.branches)

    def wants(self, finding: Finding) -> bool:
        """Whether it is sure enough to be spoken of."""
        return finding.confidence.rank >= self.min_confidence.rank

    def rules(self) -> dict[str, Rule]:
        """By id, every rule that looks at one of the targets."""
        sets = (standing(self.trust, _place(target)).rules for target in self.targets)
        return {rule.id: rule for rules in sets for rule in rules}

    def accepted(self, target: str) -> Accepted:
        """What is accepted in one of the targets."""
        found = standing(self.trust, _place(target))
        accepted = accepted_in(
            _place(target),
            today=date.today(),  # noqa: DTZ011  # an expiry is a day on the reader's calendar
            file=self.baseline,
            waiver_key=self.waiver_key,
            standing=found,
        )
        signed = found.own and self.waiver_key is not None
        accepted.suppressor.allow((*self.exclude, *(() if signed else found.allowlists)))
        return accepted


def scans(request: ScanRequest, listening: Mapping[str, Listening] = _NONE) -> list[Scan]:
    """A scan of each target; every target is checked before the first is read."""
    if request.trust is Trust.NONE:
        for target in request.targets:
            _refuse_pointer(_place(target))
    gc.disable()
    # What listens judges by everything that was found.
    scanners = _scanners(request, Confidence.LOW if listening else request.min_confidence)
    gc.freeze()  # the rules live until the end; children share them as long as nobody counts them
    gc.enable()
    return [
        _scan(scanner, target, request, listening.get(target))
        for scanner, target in zip(scanners, request.targets, strict=True)
    ]


def _scan(scanner: Scanner, target: str, request: ScanRequest, listening: Listening | None) -> Scan:
    if target == STDIN:
        if request.staged or request.history or request.selection:
            raise unfit("standard input has neither history nor staged changes")
        name = request.stream_name or "<stdin>"
        stream = listening(sys.stdin.buffer, name) if listening else sys.stdin.buffer
        return scanner.scan_stream(stream, name=name, parts=False)
    kind = kind_of(target)
    if kind is not None:
        if request.staged or (not kind.git and (request.history or request.selection)):
            none = "no staged changes" if kind.git else "neither history nor staged changes"
            raise unfit(f"{kind.name} has {none}")
        asked = Asked(parts=False, history=request.history, selection=request.selection)
        return kind.scan(scanner, target, asked)
    return scanner.scan_path(
        Path(target),
        history=False if request.staged and request.history is None else request.history,
        staged=request.staged,
        worktree=not request.staged,
        parts=False,
        selection=request.selection,
    )


def _scanners(request: ScanRequest, min_confidence: Confidence) -> list[Scanner]:
    """A scanner for each target; those in the same folder of a repository share it."""
    plugins = plugins_of(request.plugins)
    key = run_key(request.fingerprint_key)
    made: dict[tuple[Path, str], Scanner] = {}
    places = [(baseline_path(_place(each)), path_prefix(_place(each))) for each in request.targets]
    for place, target in zip(places, request.targets, strict=True):
        if place not in made:
            made[place] = Scanner(
                key=key,
                rules=standing(request.trust, _place(target)).rules,
                min_confidence=min_confidence,
                suppressor=request.accepted(target).suppressor,
                plugins=plugins,
                history_folder=_history_folder() if request.use_cache else None,
            )
    return [made[place] for place in places]


def _refuse_pointer(place: Path) -> None:
    """Of what is not trusted, ``.git`` may not choose which repository is read."""
    layout = enclosing(place.resolve())
    if layout is not None and layout.elsewhere:
        raise UsageError(
            f"{display(str(layout.top))}/.git points to another repository: "
            f"{display(str(layout.git_dir))}",
            remedy="remove .git to scan the files alone, or name that repository",
        )


def _place(target: str) -> Path:
    """Whose rules and accepted findings count."""
    return Path() if target == STDIN else place_of(target)


def unfit(message: str) -> UsageError:
    """The targets do not go together with what is asked of them."""
    return UsageError(
        message, remedy="name a file, a directory or a repository on this machine, or `-` alone"
    )


def _history_folder() -> Path | None:
    """Where what earlier scans have read is kept; None where there is no home."""
    try:
        return data_directory(os.environ) / "history"
    except UsageError:
        return None
