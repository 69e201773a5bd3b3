"""Finds a repository's baseline and makes the suppressor that a scan, hook or pipeline judges by.

::

    accepted = accepted_in(Path("."), today=date.today())
    scanner = Scanner(key=key, suppressor=accepted.suppressor)
    review = Review()
    for result in scanner.scan_path(Path("."), parts=False):
        if isinstance(result, Match) and review.add(result.finding):
            ...                              # to be shown; finding.waiver.void may say why
    review.hidden                            # how many are left out
    review.stale(accepted.baseline)          # after a complete scan of everything
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.git.discovery import enclosing
from stanch.scanner.suppression import BASELINE_NAME
from stanch.scanner.suppression.suppressor import Suppressor

if TYPE_CHECKING:  # most targets have no baseline, and starting has to be quick
    from stanch.scanner.scan.trust import Standing
    from stanch.scanner.suppression.baseline import Baseline
    from stanch.scanner.suppression.entry import Imported
    from stanch.scanner.suppression.signature import WaiverKey


class Accepted(Record):
    """Where a baseline is or would be, its content (None when there is no file), and the judge."""

    path: Path
    baseline: Baseline | None
    suppressor: Suppressor


def baseline_path(target: Path) -> Path:
    """``.stanch-baseline`` at the root of the repository around a target, or in its folder."""
    real = target.resolve()
    layout = enclosing(real)
    if layout is not None and layout.top is not None:
        return layout.top / BASELINE_NAME
    return (real if real.is_dir() else real.parent) / BASELINE_NAME


def accepted_in(
    target: Path,
    *,
    today: date,
    file: Path | None = None,
    waiver_key: str | None = None,
    imported: Iterable[Imported] = (),
    standing: Standing | None = None,
) -> Accepted:
    """What is accepted in a target. A named ``file`` has to be there, the usual one may be missing.

    Where the tree is not trusted, ``standing`` is what counts instead of it: neither its baseline
    nor the markers in it do.

    ``waiver_key`` is a public key in base64: only what its owner has signed counts then. Take it
    from where the author of a change cannot edit it: a variable of the pipeline, never the
    checked-out tree.
    """
    path = file or baseline_path(target)
    foreign = standing is not None and not standing.own
    if standing is not None and foreign and file is None:
        baseline = standing.baseline
    else:
        baseline = _there(path, named=file is not None)
    suppressor = Suppressor(
        baseline,
        today=today,
        waiver_key=_key(waiver_key),
        imported=imported,
        prefix=path_prefix(target),
        proposed=_nothing() if foreign else None,
    )
    return Accepted(path=path, baseline=baseline, suppressor=suppressor)


def _there(path: Path, *, named: bool) -> Baseline | None:
    """The baseline at a path, None when the usual one is missing."""
    if path.is_symlink():
        raise UsageError(
            f"the baseline {path} is a symbolic link", remedy="replace it by the file itself"
        )
    if not named and path.exists() and not path.is_file():
        raise UsageError(f"the baseline {path} is no file", remedy="remove it, or name another")
    return _read(path) if named or path.exists() else None


def _key(waiver_key: str | None) -> WaiverKey | None:
    if not waiver_key:
        return None
    from stanch.scanner.suppression.signature import WaiverKey  # noqa: PLC0415  # see above

    return WaiverKey(waiver_key)


def _nothing() -> Baseline:
    from stanch.scanner.suppression.baseline import Baseline  # noqa: PLC0415  # see above

    return Baseline(recipes=())


def path_prefix(target: Path) -> str:
    """What a path below the target lacks to be one of the repository: ``""`` or ``src/``."""
    real = target.resolve()
    folder = real if real.is_dir() else real.parent
    layout = enclosing(real)
    if layout is None or layout.top is None or folder == layout.top:
        return ""
    return f"{folder.relative_to(layout.top).as_posix()}/"


def _read(path: Path) -> Baseline:
    from stanch.scanner.suppression.baseline import Baseline  # noqa: PLC0415  # see above

    return Baseline.read(path)
