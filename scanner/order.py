"""What a command asks to be scanned, and the scans that this makes.

An order is plain values, so that it can go to another process; :func:`scans` loads what scanning
takes, so that whoever only gives an order need not.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence, Finding
from stanch.scanner.model.record import Record

if TYPE_CHECKING:  # an order is small
    from stanch.scanner.accepted import Accepted
    from stanch.scanner.api import Scan, Scanner

STDIN = "-"

Listening = Callable[[BinaryIO, str], BinaryIO]
"""Gives what to read in the place of a stream, by its name."""

_NONE: Mapping[str, Listening] = {}


class Order(Record):
    """Targets and how to scan them, by the names of the options of ``stanch scan``."""

    targets: tuple[str, ...]
    history: bool | None = None
    staged: bool = False
    stream_name: str | None = None
    baseline: Path | None = None
    waiver_key: str | None = None
    plugins: tuple[str, ...] = ()
    fingerprint_key: str | None = None
    remembering: bool = True
    least: Confidence = Confidence.LOW

    def wants(self, finding: Finding) -> bool:
        """Whether it is sure enough to be spoken of."""
        return finding.confidence.rank >= self.least.rank

    def accepted(self, target: str) -> Accepted:
        """What is accepted in one of the targets."""
        from stanch.scanner.accepted import accepted_in  # noqa: PLC0415  # see TYPE_CHECKING

        return accepted_in(
            _place(target),
            today=date.today(),  # noqa: DTZ011  # an expiry is a day on the reader's calendar
            file=self.baseline,
            waiver_key=self.waiver_key,
        )


class Stock:
    """What nearly every order takes, for whoever has time to load it before he gets one."""

    __slots__ = ("prefilter", "rules")

    def __init__(self) -> None:
        from stanch.scanner.detectors.database import prefilter  # noqa: PLC0415  # see TYPE_CHECKING
        from stanch.scanner.detectors.ruleset import load_builtin  # noqa: PLC0415  # as above

        self.rules = load_builtin()
        # Where nothing is kept yet it takes seconds, and the order may name other rules.
        self.prefilter = prefilter(self.rules) if self.rules.outline else None


def scans(
    order: Order, listening: Mapping[str, Listening] = _NONE, stock: Stock | None = None
) -> list[Scan]:
    """A scan of each target; every target is checked before the first is read."""
    gc.disable()
    # What listens judges by everything that was found.
    scanners = _scanners(order, stock, Confidence.LOW if listening else order.least)
    gc.freeze()  # the rules live until the end; children share them as long as nobody counts them
    gc.enable()
    return [
        _scan(scanner, target, order, listening.get(target))
        for scanner, target in zip(scanners, order.targets, strict=True)
    ]


def _scan(scanner: Scanner, target: str, order: Order, listening: Listening | None) -> Scan:
    if target == STDIN:
        if order.staged or order.history:
            raise unfit("standard input has neither history nor staged changes")
        name = order.stream_name or "<stdin>"
        stream = listening(sys.stdin.buffer, name) if listening else sys.stdin.buffer
        return scanner.scan_stream(stream, name=name, parts=False)
    return scanner.scan_path(
        Path(target),
        history=False if order.staged and order.history is None else order.history,
        staged=order.staged,
        worktree=not order.staged,
        parts=False,
    )


def _scanners(order: Order, stock: Stock | None, least: Confidence) -> list[Scanner]:
    """A scanner for each target; those in the same folder of a repository share it."""
    from stanch.scanner.accepted import baseline_path, path_prefix  # noqa: PLC0415  # see TYPE_CHECKING
    from stanch.scanner.api import Scanner, State, data_directory, load_fingerprint_key  # noqa: PLC0415
    from stanch.scanner.config import configured_rules  # noqa: PLC0415

    plugins = None
    if order.plugins:
        # Loaded late: the package takes longer to load than a small scan takes.
        from stanch.scanner.detectors.detect_secrets import PluginDetector  # noqa: PLC0415

        plugins = PluginDetector(order.plugins)
    home = data_directory(os.environ)
    key = load_fingerprint_key(order.fingerprint_key, home)
    made: dict[tuple[Path, str], Scanner] = {}
    places = [(baseline_path(_place(each)), path_prefix(_place(each))) for each in order.targets]
    for place, target in zip(places, order.targets, strict=True):
        if place not in made:
            rules = configured_rules(_place(target), stock.rules if stock else None)
            made[place] = Scanner(
                key=key,
                rules=rules,
                ready=stock.prefilter if stock and rules is stock.rules else None,
                least=least,
                suppressor=order.accepted(target).suppressor,
                plugins=plugins,
                state=State(folder=home / "history") if order.remembering else None,
            )
    return [made[place] for place in places]


def _place(target: str) -> Path:
    return Path("." if target == STDIN else target)


def unfit(message: str) -> UsageError:
    """The targets do not go together with what is asked of them."""
    return UsageError(
        message, remedy="name a file, a directory or a repository on this machine, or `-` alone"
    )
