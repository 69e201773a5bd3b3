"""``stanch-hook`` and ``stanch hook``: the door for git, pre-commit and people.

It stands before every commit, so it loads no command line library.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from stanch.scanner.hook.arguments import KINDS, USUAL, Options, parsed
from stanch.scanner.local.stream import leave, mistake, prepare, say
from stanch.scanner.model.error import INTERNAL, ScannerError, defect, ending, rendered


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run with the process's arguments; exit codes as everywhere (see ``stanch --help``)."""
    gc.disable()  # the process ends before its garbage matters, and a commit waits for it
    prepare()
    given = sys.argv[1:] if arguments is None else arguments
    leave(_reported(given))


def _reported(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _stopped)
    try:
        return run(arguments, os.environ, Path.cwd())
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    except Exception as error:  # noqa: BLE001  # the last door: never a value in a trace
        told = error if isinstance(error, ScannerError) else mistake(error)
        if told is None:
            sys.stderr.write(f"{defect(error)}\nplease report the lines above\n")
            return INTERNAL
        say(rendered(told, ending(told.remedy, "stanch hook --help")))
        return told.exit_code


def _stopped(number: int, _frame: object) -> NoReturn:
    """End as a signal asks, but tidily: what lies in temporary folders is removed."""
    sys.exit(128 + number)


def run(arguments: Sequence[str], environ: Mapping[str, str], place: Path) -> int:
    """Do what the arguments say, in the directory ``place``; returns the exit code."""
    options = parsed(arguments)
    if options.command in {"install", "uninstall"}:
        return _installed(options, environ, place)
    from stanch.scanner.hook.dispatch import decide  # noqa: PLC0415  # installing scans nothing

    return decide(options, environ, place)


def _installed(options: Options, environ: Mapping[str, str], place: Path) -> int:
    from stanch.scanner.hook.install import hooks_of  # noqa: PLC0415  # a commit installs nothing

    hooks = hooks_of(place, environ, shared=options.shared)
    if options.command == "uninstall":
        made = options.kinds or hooks.made(KINDS)
        done = [hooks.uninstall(kind) for kind in made] or ["there is no hook that stanch made"]
    else:
        done = [
            hooks.install(kind, python=sys.executable, chain=options.chain, force=options.force)
            for kind in options.kinds or USUAL
        ]
    sys.stdout.writelines(f"{line}\n" for line in done)
    if options.command == "install":
        _prepare()
    return 0


def _prepare() -> None:
    """Compile the rules now, so that the first commit does not wait for it in silence."""
    from stanch.scanner.detectors.ruleset.compile import prepare as compile_rules  # noqa: PLC0415  # as above
    from stanch.scanner.detectors.ruleset.ruleset import load_builtin  # noqa: PLC0415  # as above

    compile_rules(load_builtin(), lambda: say("compiling the rules, once: this takes some seconds"))
