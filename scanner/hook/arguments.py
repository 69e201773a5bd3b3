"""The command line of the hook, read without a command line library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stanch.scanner.hook.exclusions import PLUGINS
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record
from stanch.scanner.scan.trust import Trust

KINDS = ("pre-commit", "pre-merge-commit", "pre-push", "commit-msg", "pre-receive")
USUAL = ("pre-commit", "pre-merge-commit", "pre-push")
"""What `install` puts into a repository when nobody says which."""


class Options(Record):
    """What the command line asks for."""

    command: str
    names: tuple[str, ...] = ()
    min_confidence: Confidence = Confidence.MEDIUM
    baseline: str | None = None
    fingerprint_key: str | None = None
    waiver_key: str | None = None
    exclude_files: tuple[str, ...] = ()
    exclude_lines: tuple[str, ...] = ()
    exclude_secrets: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    staged: bool = False
    json: bool = False
    kinds: tuple[str, ...] = ()
    chain: bool = False
    force: bool = False
    shared: bool = False
    trust: Trust | None = None

    @property
    def unknown_plugins(self) -> tuple[str, ...]:
        """Plugins to disable that no rule of ours stands in for."""
        return tuple(each for each in self.disabled if each not in PLUGINS)


def parsed(arguments: Sequence[str]) -> Options:
    """The options; --help ends the program, a mistake is an error with a remedy."""
    # Git calls its hooks without options, before each commit: argparse would cost it 10 ms.
    if arguments and arguments[0] in KINDS and not any(each[:1] == "-" for each in arguments):
        return Options(command=arguments[0], names=tuple(arguments[1:]))
    from stanch.scanner.hook.parser import parser  # noqa: PLC0415  # see above

    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(parser().parse_args(arguments)).items()
        if value is not None and name != "no_verify"
    }
    if "trust" in given:
        given["trust"] = Trust(given["trust"])
    given["min_confidence"] = Confidence(given.get("min_confidence", Confidence.MEDIUM))
    return Options(**given)
