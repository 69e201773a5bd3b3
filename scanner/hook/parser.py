"""The whole command line of the hook, which only people type: git's own calls do without."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import NoReturn

from stanch.scanner.hook.arguments import KINDS, USUAL
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence

_EPILOG = """\
exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 something could
not be read.
docs/hooks.md has examples.
"""


class Parser(argparse.ArgumentParser):
    """Its mistakes read like those of every other command of ``stanch``."""

    def error(self, message: str) -> NoReturn:
        """Why it is not understood, what was meant, and what to type next."""
        wrong = re.search(r"(?:unrecognized arguments:|invalid choice:) '?([^\s']+)", message)
        near = difflib.get_close_matches(wrong[1], _words(self), n=1) if wrong else []
        meant = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"{message}.{meant}", remedy=f"{self.prog} --help")


def _words(top: argparse.ArgumentParser) -> set[str]:
    """Every command and option below a parser."""
    found: set[str] = set()
    for action in top._actions:  # noqa: SLF001  # argparse has no other way to ask
        found.update(action.option_strings)
        found.update(map(str, action.choices or ()))
        if isinstance(action.choices, dict):
            found.update(*map(_words, action.choices.values()))
    return found


def known() -> frozenset[str]:
    """Every option of every command."""
    return frozenset(word for word in _words(parser()) if word.startswith("-"))


def parser() -> Parser:
    """Every command of the hook, and its options."""
    form = argparse.RawDescriptionHelpFormatter
    top = Parser(
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
    _add_installation(commands)
    return top


def _add_installation(commands: argparse._SubParsersAction[Parser]) -> None:
    for name, text, which in (
        ("install", "put hooks into this repository", f"default: {', '.join(USUAL)}"),
        ("uninstall", "remove them", "default: all that stanch made"),
    ):
        made = commands.add_parser(name, help=text, allow_abbrev=False)
        made.add_argument(
            "--type",
            dest="kinds",
            action="append",
            choices=KINDS,
            metavar="HOOK",
            help=f"{', '.join(KINDS)}; {which}",
        )
        made.add_argument("--global", dest="shared", action="store_true",
                          help="also where core.hooksPath is shared by repositories")  # fmt: skip
        if name == "install":
            made.add_argument("--chain", action="store_true", help="run a hook that is there first")
            made.add_argument("--force", action="store_true", help="replace a hook that is there")


def _add_gates(commands: argparse._SubParsersAction[Parser]) -> None:
    texts = {
        "pre-commit": "what is staged",
        "pre-merge-commit": "what a merge would commit",
        "pre-push": "the commits that a push brings; REMOTE URL, and refs on standard input",
        "commit-msg": "a commit's message, in FILE",
        "pre-receive": "what a server is about to accept; refs on standard input",
    }
    for name in KINDS:
        gate = commands.add_parser(name, help=f"as git runs it: {texts[name]}", allow_abbrev=False)
        gate.add_argument("names", nargs="*", metavar="ARGUMENT", help="what git gives")
        _add_common(gate)


def _add_common(made: Parser) -> None:
    made.add_argument(
        "--min-confidence",
        dest="min_confidence",
        choices=[each.value for each in Confidence],
        default=Confidence.MEDIUM.value,
        help="what blocks (default: medium)",
    )
    made.add_argument(
        "--baseline", metavar="FILE", help="accepted findings, ours or of detect-secrets"
    )
    made.add_argument(
        "--trust",
        choices=["none", "base", "tree"],
        help="whose rules, settings and waivers count (default: tree; pre-receive: base)",
    )
    made.add_argument(
        "--plugin",
        dest="plugins",
        action="append",
        metavar="NAME",
        help="also run a plugin of detect-secrets: a class, all, file:///path or module:NAME",
    )
    made.add_argument(
        "--fingerprint-key", metavar="REF", help="env:NAME or file:/path (default: your own key)"
    )
    made.add_argument(
        "--waiver-key", metavar="KEY", help="public key; only waivers that it signed count"
    )


def _add_exclusions(made: Parser) -> None:
    """Arguments as detect-secrets-hook has them."""
    for name, text in (
        ("--exclude-files", "skip files whose path matches"),
        ("--exclude-lines", "skip lines that match"),
        ("--exclude-secrets", "disregard values that match"),
    ):
        made.add_argument(name, action="append", metavar="REGEX", help=text)
    made.add_argument(
        "-p",
        "--disable-plugin",
        dest="disabled",
        action="append",
        metavar="NAME",
        help="a plugin of detect-secrets whose kind of finding to disregard",
    )
    made.add_argument(
        "-n",
        "--no-verify",
        action="store_true",
        help="accepted for compatibility: a hook never uses the network",
    )
