"""gitleaks rule files become rules of ours, and what does not is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.scanner.cli.rules import command
from stanch.scanner.detectors.matching.pattern import compiled
from stanch.scanner.detectors.ruleset.gitleaks import converted, dialect
from stanch.scanner.detectors.ruleset.ruleset import load
from stanch.scanner.model.error import RuleError

_FILE = r"""
title = "rules"
[[rules]]
id = "Acme Token"
description = "Acme token"
regex = '''(?i)acme[\w.-]{0,20}=(["'])?([a-z0-9]{32,})\b'''
secretGroup = 2
entropy = 3.5
keywords = ["acme"]

[[rules]]
id = "posix"
regex = '''beta_[[:alnum:]]+'''
[rules.allowlist]
regexes = ['x']

[[rules]]
id = "paths"
path = '''\.p12$'''

[[rules]]
id = "broken"
regex = '''a(b'''
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gitleaks.toml"
    path.write_text(_FILE)
    return path


def test_what_fits_is_imported_and_the_rest_is_named(file: Path) -> None:
    result = converted(file)
    assert (result.imported, result.total) == (2, 4)
    assert [note.split(": ")[1:3] for note in result.notes] == [
        ["posix", "without its allowlist (use a baseline or an inline marker)"],
        ["paths", "not imported"],
        ["broken", "not imported"],
    ]


def test_the_output_is_a_rule_file(file: Path, tmp_path: Path) -> None:
    output = CliRunner().invoke(command, ["import", str(file)])
    assert output.exit_code == 1
    mine = tmp_path / "mine.yaml"
    mine.write_text(output.stdout)
    acme, posix = load([mine])
    assert (acme.id, acme.keywords, acme.checks) == (
        "imported-acme-token",
        ("acme",),
        ("random", "placeholder"),
    )
    value = b"q1" * 17
    found = compiled(acme.pattern).search(b"ACME_key='" + value + b"'")
    assert found is not None
    assert found[1] == value
    assert compiled(posix.pattern).fullmatch(b"beta_x1") is not None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("a+", "a{1,200}"),
        ("a*?", "a{0,200}?"),
        ("[a*+]{3,}", "[a*+]{3,203}"),
        (r"\+\d+", r"\+\d{1,200}"),
        ("x(?i)y", "x(?i:y)"),
        ("[[:xdigit:]_]{4}", "[0-9A-Fa-f_]{4}"),
    ],
)
def test_the_dialect_keeps_its_meaning_within_bounds(theirs: str, ours: str) -> None:
    assert dialect(theirs) == ours
    re.compile(ours)


def test_another_kind_of_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("a = 1")
    with pytest.raises(RuleError, match="no \\[\\[rules\\]\\]"):
        converted(path)


def test_a_pattern_whose_meaning_is_going_to_change_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gitleaks.toml"
    path.write_text("[[rules]]\nid = 'dashes'\nregex = '(abc_[a-z0-9----]{32})'\n")
    result = converted(path)
    assert (result.imported, result.text) == (0, "")
    (note,) = result.notes
    assert "dashes: not imported: Possible set difference" in note


def test_a_pattern_that_is_nested_without_end_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gitleaks.toml"
    path.write_text(f"[[rules]]\nid = 'deep'\nregex = '{'(' * 5000}a{')' * 5000}'\n")
    result = converted(path)
    assert (result.imported, result.notes) == (
        0,
        ("gitleaks.toml: deep: not imported: the pattern is nested too deep",),
    )
