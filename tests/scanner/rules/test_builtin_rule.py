from __future__ import annotations

from itertools import chain
from pathlib import Path

from click.testing import CliRunner, Result

from stanch.scanner.cli.rules import command, described
from stanch.scanner.detectors.proof.selftest import faults
from stanch.scanner.detectors.ruleset.ruleset import load, load_builtin
from stanch.scanner.model.error import UsageError

_LIE = """\
provider: acme
rules:
  - id: acme-token
    title: Acme token
    kind: api-token
    class: B
    severity: high
    confidence: high
    pattern: 'acme_[0-9a-f]{32}'
    remedy: Revoke it.
    link: https://acme.invalid/tokens
    match: ["acme_{hex:32}", "acme-{hex:32}"]
    reject: ["acme_{hex:40}"]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_every_builtin_rule_has_examples_of_both_kinds() -> None:
    assert [rule.id for rule in load_builtin() if not (rule.match and rule.reject)] == []


def test_a_rule_that_lies_is_named_with_its_templates(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(_LIE)
    claims = [(fault.template, fault.claim) for fault in faults(load([path]))]
    assert claims == [
        ("acme-{hex:32}", "is not found (surroundings 0)"),
        ("acme_{hex:40}", "is reported by acme-token (surroundings 0)"),
    ]


def test_every_builtin_rule_keeps_its_claims_and_the_table_fits_a_terminal() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert all(len(line) <= 80 for line in result.output.splitlines())
    assert ["aws", "9", "17", "18", "ok"] in [line.split() for line in result.output.splitlines()]


def test_check_of_a_lying_rule_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(_LIE)
    result = run("check", str(path))
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert "acme.yaml:3: acme-token: is not found" in result.output


def test_list_and_show_fit_a_terminal() -> None:
    listed = run("list")
    assert listed.exit_code == 0
    ids = [line.split()[0] for line in listed.output.splitlines()[1:]]
    assert ids == [rule.id for rule in load_builtin()]
    shown = run("show", ids[0]).output
    assert shown.splitlines() == list(described(load_builtin()[0]))
    lines = [*listed.output.splitlines(), *chain.from_iterable(map(described, load_builtin()))]
    assert max(map(len, lines)) <= 80


def test_show_of_an_unknown_rule_says_where_to_look() -> None:
    result = run("show", "nothing")
    assert isinstance(result.exception, UsageError)
    assert "stanch rules list" in result.exception.remedy
