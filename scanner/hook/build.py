"""Builds the gate that every door of this room uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.hook.check import ChangeCheck
from stanch.scanner.hook.exclusions import NOTHING, Exclusion
from stanch.scanner.local.fingerprint_key import run_key
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record
from stanch.scanner.scan.engine import ScanEngine, plugins_of
from stanch.scanner.scan.trust import Standing, Trust
from stanch.scanner.scan.waivers import accepted_in
from stanch.scanner.suppression.suppressor import Suppressor

if TYPE_CHECKING:
    from stanch.scanner.suppression.entry import Imported

WAIVER_KEY = "STANCH_WAIVER_KEY"
_ENOUGH = 64  # bytes: our own baseline says what it is at its very beginning


class Choice(Record):
    """How to judge, as a command line says."""

    min_confidence: Confidence = Confidence.MEDIUM
    baseline: str | None = None
    fingerprint_key: str | None = None
    waiver_key: str | None = None
    exclusion: Exclusion = NOTHING
    processes: int = 1
    trust: Trust = Trust.TREE
    exclude: tuple[Allowlist, ...] = ()
    plugins: tuple[str, ...] = ()


def gate(
    choice: Choice, environ: Mapping[str, str], *, suppressor: Suppressor, standing: Standing
) -> ChangeCheck:
    """The gate with the rules that count, and with what is accepted."""
    key = run_key(choice.fingerprint_key, environ)
    # Where only signed waivers count, whoever made the change does not allow anything either.
    signed = standing.own and trusted_key(choice, environ) is not None
    suppressor.allow((*choice.exclude, *(() if signed else standing.allowlists)))
    engine = ScanEngine(
        standing.rules, key, suppressor=suppressor, plugins=plugins_of(choice.plugins)
    )
    return ChangeCheck(
        engine,
        min_confidence=choice.min_confidence,
        exclusion=choice.exclusion,
        processes=choice.processes,
    )


def trusted_key(choice: Choice, environ: Mapping[str, str]) -> str | None:
    """The public key whose owner alone may waive, if there is one."""
    return choice.waiver_key or environ.get(WAIVER_KEY) or None


def accepted(
    choice: Choice,
    environ: Mapping[str, str],
    place: Path,
    *,
    today: date,
    standing: Standing | None = None,
) -> Suppressor:
    """What is accepted around ``place``: its own baseline, or the one that is named."""
    key = trusted_key(choice, environ)
    file: Path | None = None
    imported: tuple[Imported, ...] = ()
    if choice.baseline is not None:
        named = place / choice.baseline
        if is_ours(named):
            file = named
        else:
            imported = _imported(named, today=today)
    return accepted_in(
        place, today=today, file=file, waiver_key=key, imported=imported, standing=standing
    ).suppressor


def _imported(file: Path, *, today: date) -> tuple[Imported, ...]:
    from stanch.scanner.suppression.secrets_baseline import (  # noqa: PLC0415  # few have one
        SecretsBaseline,
    )

    read = SecretsBaseline.read(file, author="detect-secrets", added=today, expires=None)
    return read.entries


def is_ours(file: Path | bytes) -> bool:
    """Whether a file, or what it holds, is a baseline of ours and not one of detect-secrets."""
    if isinstance(file, bytes):
        return b"stanch-baseline" in file[:_ENOUGH]
    try:
        with file.open("rb") as opened:
            return b"stanch-baseline" in opened.read(_ENOUGH)
    except OSError as error:
        raise UsageError(
            f"the baseline {file} cannot be read: {error.strerror}",
            remedy="name the file, or leave --baseline out",
        ) from error
