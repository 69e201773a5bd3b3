"""The command line of the hook, read without a command line library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stanch.scanner.hook.exclusions import PLUGINS
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record

if TYPE_CHECKING:
    import argparse

KINDS = ("pre-commit", "pre-push", "commit-msg", "pre-receive")
_EPILOG = """\
exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 something could
not be read.
docs/hooks.md has examples.
"""


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
    staged: bool = False
    json: bool = False
    kinds: tuple[str, ...] = ("pre-commit",)
    chain: bool = False
    force: bool = False
    shared: bool = False

    @property
    def unknown_plugins(self) -> tuple[str, ...]:
        """Plugins to disable that no rule of ours stands in for."""
        return tuple(each for each in self.disabled if each not in PLUGINS)


def parsed(arguments: Sequence[str]) -> Options:
    """The options; argparse ends the program after --help (0) and for mistakes (2)."""
    # Git calls its hooks without options, before each commit: argparse would cost it 10 ms.
    if arguments and arguments[0] in KINDS and not any(each[:1] == "-" for each in arguments):
        return Options(command=arguments[0], names=tuple(arguments[1:]))
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(_parser().parse_args(arguments)).items()
        if value is not None and name != "no_verify"
    }
    given["min_confidence"] = Confidence(given.get("min_confidence", Confidence.MEDIUM))
    return Options(**given)


def known() -> frozenset[str]:
    """Every option of every command."""
    top = _parser()
    found: set[str] = set()
    for action in top._actions:  # noqa: SLF001  # argparse has no other way to ask
        found.update(action.option_strings)
        if isinstance(action.choices, dict):
            for each in action.choices.values():
                found.update(*(inner.option_strings for inner in each._actions))  # noqa: SLF001
    return frozenset(found)


def _parser() -> argparse.ArgumentParser:
    import argparse  # noqa: PLC0415  # see above

    form = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="stanch hook",
        description="Stop credentials before they are committed, pushed or received.",
        epilog=_EPILOG,
        formatter_class=form,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="check files, or what is staged",
        description="Check the named files as they are on disk; without names, what is staged.",
        epilog=_EPILOG,
        formatter_class=form,
        allow_abbrev=False,
    )
    run.add_argument("names", nargs="*", metavar="FILE")
    run.add_argument("--staged", action="store_true", help="check what is staged, and no files")
    run.add_argument(
        "--json", action="store_true", help="findings as JSON lines on standard output"
    )
    _add_exclusions(run)
    _add_common(run)
    _add_gates(commands)
    for name, text in (("install", "put hooks into this repository"), ("uninstall", "remove them")):
        made = commands.add_parser(name, help=text, allow_abbrev=False)
        made.add_argument(
            "--type", dest="kinds", action="append", choices=KINDS, help="default: pre-commit"
        )
        made.add_argument("--global", dest="shared", action="store_true",
                          help="also where core.hooksPath is shared by repositories")  # fmt: skip
        if name == "install":
            made.add_argument("--chain", action="store_true", help="run a hook that is there first")
            made.add_argument("--force", action="store_true", help="replace a hook that is there")
    return top


def _add_gates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    texts = {
        "pre-commit": "what is staged",
        "pre-push": "the commits that a push brings; REMOTE URL, and refs on standard input",
        "commit-msg": "a commit's message, in FILE",
        "pre-receive": "what a server is about to accept; refs on standard input",
    }
    for name in KINDS:
        gate = commands.add_parser(name, help=f"as git runs it: {texts[name]}", allow_abbrev=False)
        gate.add_argument("names", nargs="*", metavar="ARGUMENT", help="what git gives")
        _add_common(gate)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--min-confidence",
        dest="min_confidence",
        choices=[each.value for each in Confidence],
        default=Confidence.MEDIUM.value,
        help="what blocks (default: medium)",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="accepted findings, ours or of detect-secrets"
    )
    parser.add_argument(
        "--fingerprint-key", metavar="REF", help="env:NAME or file:/path (default: your own key)"
    )
    parser.add_argument(
        "--waiver-key", metavar="KEY", help="public key; only waivers that it signed count"
    )


def _add_exclusions(parser: argparse.ArgumentParser) -> None:
    """Arguments as detect-secrets-hook has them."""
    for name, text in (
        ("--exclude-files", "skip files whose path matches"),
        ("--exclude-lines", "skip lines that match"),
        ("--exclude-secrets", "disregard values that match"),
    ):
        parser.add_argument(name, action="append", metavar="REGEX", help=text)
    parser.add_argument(
        "-p",
        "--disable-plugin",
        dest="disabled",
        action="append",
        metavar="NAME",
        help="a plugin of detect-secrets whose kind of finding to disregard",
    )
    parser.add_argument(
        "-n",
        "--no-verify",
        action="store_true",
        help="accepted for compatibility: a hook never uses the network",
    )
