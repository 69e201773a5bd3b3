"""``stanch rules``: what is looked for, and the proof that it is found."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from scanner.detectors.proof import Fault, faults
from scanner.detectors.ruleset import load, load_builtin
from scanner.model.error import UsageError
from scanner.model.rule import Rule

_WIDTH = 80
_FILES = click.argument(
    "files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path), metavar="[FILE]..."
)


@click.group()
def command() -> None:
    """List, show and prove the detection rules."""


@command.command()
@_FILES
def check(files: tuple[Path, ...]) -> None:
    """Prove every rule: its examples are found, its counter-examples are not.

    Without FILE the built-in rules. Exit codes: 0 all hold, 2 a rule is wrong.
    """
    rules = load(files) if files else load_builtin()
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
def list_rules(files: tuple[Path, ...]) -> None:
    """One line for each rule (of FILE, by default the built-in ones).

    Exit codes: 0 listed, 2 a rule is wrong.
    """
    rules = load(files) if files else load_builtin()
    _print_rows(
        ("RULE", "CLASS", "SEVERITY", "CONFIDENCE", "RUNBOOK"),
        [
            (rule.id, rule.rule_class, rule.severity, rule.confidence, rule.runbook or "-")
            for rule in rules
        ],
    )


@command.command()
@click.argument("rule_id", metavar="ID")
def show(rule_id: str) -> None:
    """Everything about one built-in rule.

    Exit codes: 0 shown, 2 there is no such rule.
    """
    rules = {rule.id: rule for rule in load_builtin()}
    if rule_id not in rules:
        raise UsageError(f"there is no rule `{rule_id}`", remedy="see `stanch rules list`")
    rule = rules[rule_id]
    click.echo(f"{rule.id}: {rule.title}")
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
        "runbook": rule.runbook or "-",
        "finds": f"{len(rule.match)} templates",
        "leaves": f"{len(rule.reject)} templates",
        "origin": rule.origin,
    }
    for name, value in fields.items():
        lines = textwrap.wrap(value, _WIDTH - 14, break_on_hyphens=False) or ["-"]
        click.echo(f"  {name:<12}" + ("\n" + " " * 14).join(lines))


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
