"""The runbook that a run follows to its end: kept with the run, whatever is installed later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.resolved_type import resolved
from stanch.responder.domain.run import Run
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.step import StepSpec

_RUNBOOK = resolved(Runbook)


def pin(runbook: Runbook) -> tuple[str, str]:
    """The runbook as text that reads back the same, and the SHA-256 of that text."""
    text = msgspec.json.encode(runbook, order="sorted").decode()
    return text, hashlib.sha256(text.encode()).hexdigest()


def pinned(run: Run, installed: Mapping[str, Runbook]) -> Runbook:
    """The runbook of this run. RunbookError when its text is not what was pinned.

    A run of an older version has none: it follows what is installed, if that is still the same.
    """
    if run.pinned:
        return _read(run.pinned, run.digest, run.id)
    found = installed.get(run.runbook)
    if found is None or found.version != run.runbook_version:
        raise RunbookError(
            f"run {run.id} follows runbook {run.runbook!r} v{run.runbook_version}, which is not "
            "installed",
            remedy=f"put it back; installed: {', '.join(sorted(installed)) or 'none'}",
        )
    return found


def replay(runbook: Runbook, specs: Mapping[str, StepSpec]) -> tuple[str, ...]:
    """What keeps this installation from following the runbook to its end; empty: nothing."""
    missing = {step.uses for step in runbook.steps} - set(specs)
    problems = [f"there is no step {uses!r} any more" for uses in sorted(missing)]
    for step in runbook.steps:
        if step.uses in missing:
            continue
        try:
            msgspec.convert(dict(step.params), specs[step.uses].params, strict=False)
        except msgspec.ValidationError as error:
            problems.append(f"{step.id} ({step.uses}): {error}")
    return tuple(problems)


@lru_cache(maxsize=256)
def _read(text: str, digest: str, run: str) -> Runbook:
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise RunbookError(
            f"the runbook of run {run} was changed after the run began",
            remedy="run `stanch audit verify`; cancel the run and respond again",
        )
    try:
        return msgspec.json.decode(text, type=_RUNBOOK)
    except msgspec.MsgspecError as error:
        raise RunbookError(
            f"the runbook of run {run} cannot be read: {error}",
            remedy="install the version that started the run, or cancel it and respond again",
        ) from None
