"""The application's own check, run with what the references give."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.delivery.handover import Mode, handed_over
from stanch.responder.lifecycle.migration.plan import TAKEN, Plan, Verdict
from stanch.responder.lifecycle.migration.proof import Resolve
from stanch.responder.lifecycle.migration.result import Phase, Result, State
from stanch.responder.lifecycle.model.error import SecretError

_STDERR = 2


def words(command: str) -> tuple[str, ...]:
    """The command's words. Raises UsageError."""
    try:
        found = tuple(shlex.split(command))
    except ValueError:
        found = ()
    if not found:
        raise UsageError("--check names no command", remedy="write it as --check './smoke --fast'")
    return found


def run_check(
    plan: Plan, command: tuple[str, ...], resolve: Resolve, *, patience: timedelta
) -> Result:
    """Run it with the files' variables: the moved ones from the store. It writes to our stderr."""
    environment = dict(os.environb)
    for row in plan.rows:
        if row.verdict is Verdict.PLAIN:
            environment[os.fsencode(row.variable.name)] = row.value.reveal()
    try:
        values = {
            row.variable.name: resolve(row.reference).value
            for row in plan.rows
            if row.reference is not None and row.verdict in TAKEN | {Verdict.REFERENCE}
        }
    except SecretError as error:
        return Result(phase=Phase.CHECK, state=State.INCOMPLETE, summary=str(error))
    with handed_over(values, environment, Mode.ENVIRONMENT) as given:
        return _ended(command, given, patience)


def _ended(
    command: tuple[str, ...], environment: Mapping[bytes, bytes], patience: timedelta
) -> Result:
    sys.stderr.flush()
    try:
        done = subprocess.run(  # the operator's own command
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,
            timeout=patience.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"{command[0]} did not end within {patience.total_seconds():.0f} s"
        return Result(phase=Phase.CHECK, state=State.FAILED, summary=why)
    except OSError as error:
        why = f"{command[0]} cannot be run: {error.strerror}"
        return Result(phase=Phase.CHECK, state=State.FAILED, summary=why)
    return Result(
        phase=Phase.CHECK,
        state=State.FAILED if done.returncode else State.DONE,
        summary=f"{command[0]} ended with {done.returncode}",
    )
