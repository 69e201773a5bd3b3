"""A scan that is asked for here and done elsewhere: by any number of processes, on any machine.

Whoever asks writes down all that a result depends on: rules, settings, what is accepted, and the
day by which expiries are judged. Whoever reads has only to hold the same fingerprint key.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from stanch.scanner import __version__
from stanch.scanner.detectors.ruleset.ruleset import configured_texts, with_texts
from stanch.scanner.local.settings import scan_settings
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.scan.engine import plugins_of
from stanch.scanner.scan.request import ScanRequest
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.scan.trust import Trust
from stanch.scanner.scan.waivers import baseline_path
from stanch.scanner.sources.git.revisions import EVERYTHING, Selection
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.signature import WaiverKey
from stanch.scanner.suppression.suppressor import Suppressor


class Commission(Record):
    """How everything is to be read and judged, whoever does it. Holds no secret.

    ``own`` says that markers in what is scanned count.
    """

    today: date
    min_confidence: Confidence
    own: bool
    history: bool = True
    since: date | None = None
    branches: tuple[str, ...] = ()
    rules: tuple[tuple[str, bytes], ...] = ()
    allowlists: tuple[Allowlist, ...] = ()
    baseline: str | None = None
    waiver_key: str | None = None
    plugins: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: ScanRequest, place: Path, *, today: date) -> Commission:
        """What is asked for, with the rules, settings and baseline that stand around ``place``."""
        if request.trust is Trust.BASE:
            raise UsageError(
                "--trust base is about one repository, and a fleet reads many",
                remedy="use --trust tree for the rules and baseline beside the fleet's file, "
                "--trust none for neither",
            )
        own = request.trust is Trust.TREE
        said = scan_settings(place).allowlists if own else ()
        signed = own and request.waiver_key is not None
        if request.waiver_key:
            WaiverKey(request.waiver_key)  # refused here, not on some worker
        plugins_of(request.plugins)
        asked = cls(
            today=today,
            min_confidence=request.min_confidence,
            own=own,
            history=request.history is not False,
            since=request.since,
            branches=request.branches,
            rules=tuple(configured_texts(place)) if own else (),
            allowlists=(*request.exclude, *(() if signed else said)),
            baseline=_baseline(request, place) if own or request.baseline else None,
            waiver_key=request.waiver_key,
            plugins=request.plugins,
        )
        if asked.selection and not asked.history:
            raise UsageError(
                "--since and --branch choose commits, and no history is read",
                remedy="leave out --no-history",
            )
        return asked

    @classmethod
    def read(cls, data: object) -> Commission:
        """The commission as it was written down."""
        return msgspec.convert(data, cls)

    @staticmethod
    def basis(key: FingerprintKey) -> str:
        """The same for whoever finds the same: this version of the rules, with this key."""
        return f"{__version__} {key.fingerprint('stanch', 'fleet', SecretValue(b'basis'))}"

    @property
    def selection(self) -> Selection | None:
        """The part of a history that is read; None for all of it."""
        asked = Selection(since=self.since, branches=self.branches)
        return None if asked == EVERYTHING else asked

    def as_json(self) -> dict[str, Any]:
        """What :meth:`read` takes."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def scanner(self, key: FingerprintKey, *, history_folder: Path | None) -> Scanner:
        """A scanner that finds and judges as everybody's who has this key."""
        stated = None if self.baseline is None else self.baseline.encode()
        suppressor = Suppressor(
            None if stated is None else Baseline.parse(stated, name="the fleet's baseline"),
            today=self.today,
            waiver_key=WaiverKey(self.waiver_key) if self.waiver_key else None,
            proposed=None if self.own else Baseline(recipes=()),
        )
        suppressor.allow(self.allowlists)
        return Scanner(
            key=key,
            rules=with_texts(self.rules),
            processes=1,  # there are other processes, each with its own work
            suppressor=suppressor,
            plugins=plugins_of(self.plugins),
            history_folder=history_folder,
            min_confidence=self.min_confidence,
        )


def _baseline(request: ScanRequest, place: Path) -> str | None:
    path = request.baseline or baseline_path(place)
    if path.is_symlink():
        raise UsageError(
            f"the baseline {path} is a symbolic link", remedy="replace it by the file itself"
        )
    if request.baseline is None and not path.exists():
        return None
    Baseline.read(path)  # says what is wrong with it, and where
    return path.read_text(encoding="utf-8")
