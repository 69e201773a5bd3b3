"""``stanch rules``: what is looked for, and the proof that it is found."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from stanch.scanner.cli.group import Group
from stanch.scanner.detectors.proof.selftest import Fault, faults
from stanch.scanner.detectors.ruleset.ruleset import configured_rules, load
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.nearest import nearest
from stanch.scanner.model.rule import Rule

_WIDTH = 80
_FILES = click.argument(
    "files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path), metavar="[FILE]..."
)


@click.group(cls=Group)
def command() -> None:
    """List, show and prove the detection rules."""


@command.command()
@_FILES
def check(files: tuple[Path, ...]) -> None:
    """Prove every rule: its examples are found, its counter-examples are not.

    Without FILE the built-in rules and those that stanch.toml names.

    Exit codes: 0 all hold, 2 a rule is wrong.
    """
    rules = load(files) if files else configured_rules(Path.cwd())
    broken = list(faults(rules))
    _print_rows(
        ("PROVIDER", "RULES", "MATCH", "REJECT", "RESULT"),
        [_result(provider, rules, broken) for provider in _providers(rules)],
    )
    for fault in broken:
        click.echo(f"{fault.rule.origin}: {fault.rule.id}: {fault.claim}", err=True)
        click.echo(f"  template {fault.template!r}, seed {fault.seed}", err=True)
    if broken:
        raise UsageError(
            f"{len(broken)} claims of {len(rules)} rules do not hold",
            remedy="mend the pattern, the checks or the template at the lines above",
        )


@command.command("list")
@_FILES
@click.option("--provider", metavar="NAME", help="Only rules of this provider.")
def list_rules(files: tuple[Path, ...], provider: str | None) -> None:
    """One line for each rule (of FILE, by default the built-in ones and your own).

    Exit codes: 0 shown, 2 a rule file is wrong.
    """
    rules: Sequence[Rule] = load(files) if files else configured_rules(Path.cwd())
    if provider is not None:
        known = _providers(rules)
        if provider not in known:
            raise UsageError(f"there is no provider `{provider}`", remedy=_nearest(provider, known))
        rules = tuple(rule for rule in rules if rule.provider == provider)
    _print_rows(
        ("RULE", "CLASS", "SEVERITY", "CONF"),
        [(rule.id, rule.rule_class, rule.severity, rule.confidence) for rule in rules],
    )


@command.command()
@click.argument("rule_id", metavar="ID")
def show(rule_id: str) -> None:
    """Everything about one rule, built-in or your own.

    Exit codes: 0 shown, 2 there is no such rule.
    """
    rules = {rule.id: rule for rule in configured_rules(Path.cwd())}
    if rule_id not in rules:
        raise UsageError(f"there is no rule `{rule_id}`", remedy=_nearest(rule_id, tuple(rules)))
    for line in described(rules[rule_id]):
        click.echo(line)


def described(rule: Rule) -> Iterator[str]:
    """Everything about a rule, in lines that fit a terminal."""
    yield from textwrap.wrap(f"{rule.id}: {rule.title}", _WIDTH)
    pairing = rule.pairing
    fields = {
        "provider": f"{rule.provider} ({rule.kind})",
        "class": rule.rule_class.value,
        "severity": rule.severity + (f", {pairing.severity} as a pair" if pairing else ""),
        "confidence": rule.confidence.value,
        "pattern": rule.pattern,
        "keywords": ", ".join(rule.keywords) or "-",
        "checks": ", ".join(rule.checks) or "-",
        "pairs with": f"{pairing.rule}, within {pairing.within} lines" if pairing else "-",
        "remedy": rule.remedy,
        "link": rule.link,
        "finds": f"{len(rule.match)} templates",
        "leaves": f"{len(rule.reject)} templates",
        "origin": rule.origin,
    }
    for name, value in fields.items():
        lines = textwrap.wrap(value, _WIDTH - 14, break_on_hyphens=False) or ["-"]
        yield f"  {name:<12}{lines[0]}"
        yield from (" " * 14 + line for line in lines[1:])


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="GITLEAKS.TOML")
def import_rules(file: Path) -> None:
    """Turn a gitleaks rule file into rules of ours, on standard output.

    What cannot be imported is named on standard error. Exit codes: 0 everything was imported, 1
    something was left out, 2 the file is not one of gitleaks.
    """
    from stanch.scanner.detectors.ruleset.gitleaks import converted  # noqa: PLC0415 - for this command alone

    result = converted(file)
    click.echo(result.text, nl=False)
    for note in result.notes:
        click.echo(note, err=True)
    click.echo(f"imported {result.imported} of {result.total} rules", err=True)
    sys.exit(1 if result.left_out else 0)


def _nearest(word: str, known: Sequence[str]) -> str:
    return f"{nearest(word, known)} see `stanch rules list`"


def _providers(rules: Sequence[Rule]) -> list[str]:
    return list(Counter(rule.provider for rule in rules))


def _result(provider: str, rules: Sequence[Rule], broken: Sequence[Fault]) -> tuple[str, ...]:
    own = [rule for rule in rules if rule.provider == provider]
    wrong = sum(fault.rule.provider == provider for fault in broken)
    return (
        provider,
        str(len(own)),
        str(sum(len(rule.match) for rule in own)),
        str(sum(len(rule.reject) for rule in own)),
        f"{wrong} wrong" if wrong else "ok",
    )


def _print_rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
