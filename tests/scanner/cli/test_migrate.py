"""What other scanners allow becomes allowlists of ours; what has no place in them is named."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from stanch.scanner.cli.migrate.command import command
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.local.allowlist_table import allowlists
from stanch.scanner.model.error import UsageError

Migrate = Callable[..., Result]

GITLEAKS = """
[extend]
useDefault = true
disabledRules = ["generic-api-key"]

[[allowlists]]
description = "third-party code"
paths = ['''(^|/)vendor/''']
regexes = ['''EXAMPLE$''']
stopwords = ["sample."]

[[allowlists]]
description = "both"
condition = "AND"
paths = ['''\\.snap$''']
regexes = ['''^tok''']

[[allowlists]]
regexTarget = "line"
regexes = ['''nosec''']
commits = ["abc"]

[[rules]]
id = "Acme Token"
regex = '''acme_[a-z]{8}'''
[[rules.allowlists]]
description = "demo"
paths = ['''demo/''']
"""


@pytest.fixture
def migrate(tmp_path: Path) -> Migrate:
    def run(name: str, text: str, *options: str) -> Result:
        (tmp_path / name).write_text(text)
        return CliRunner().invoke(command, [str(tmp_path / name), *options])

    return run


def _tables(done: Result) -> list[dict[str, Any]]:
    read = tomllib.loads(done.stdout)["scan"]["allowlists"]
    assert len(allowlists(read, str)) == len(read)  # what is printed can be read
    return list(read)


def test_allowlists_of_gitleaks(migrate: Migrate) -> None:
    done = migrate(".gitleaks.toml", GITLEAKS)
    assert done.exit_code == 1
    assert _tables(done) == [
        {"path_regexes": ["(^|/)vendor/"], "reason": "third-party code"},
        {"regexes": ["EXAMPLE$", "(?i)sample\\."], "reason": "third-party code"},
        {"path_regexes": ["\\.snap$"], "regexes": ["^tok"], "reason": "both"},
        {"path_regexes": ["demo/"], "rules": ["imported-acme-token"], "reason": "demo"},
    ]
    for named in ("useDefault", "disabledRules (generic-api-key)", "rules = ['generic-*']",
                  "without its commits",
                  "look at the line", "stanch rules import .gitleaks.toml"):  # fmt: skip
        assert named in done.stderr


def test_patterns_of_git_secrets_and_trufflehog(migrate: Migrate) -> None:
    done = migrate(".gitallowed", "# ours\nAKIA0+\n\n")
    assert _tables(done) == [{"regexes": ["AKIA0+"], "reason": "allowed in .gitallowed"}]
    assert "whole lines" in done.stderr
    done = migrate("skip.txt", "^vendor/\n", "--from", "trufflehog")
    assert _tables(done) == [{"path_regexes": ["^vendor/"], "reason": "allowed in skip.txt"}]
    assert done.exit_code == 0


def test_files_and_patterns_of_talisman(migrate: Migrate) -> None:
    text = (
        "fileignoreconfig:\n- filename: a.pem\n  checksum: cafe\n- filename: docs/*\n"
        "allowed_patterns: ['key-[0-9]+']\nthreshold: high\n"
    )
    done = migrate(".talismanrc", text)
    assert [set(table) for table in _tables(done)] == [{"paths", "reason"}, {"regexes", "reason"}]
    assert "a.pem: allowed whatever it holds" in done.stderr
    assert "without its threshold" in done.stderr


def test_paths_of_ggshield(migrate: Migrate) -> None:
    text = (
        "version: 2\nsecret:\n  ignored_paths: ['tests/**']\n"
        "  ignored_matches: [{name: a, match: b}]\n"
    )
    done = migrate(".gitguardian.yaml", text)
    assert _tables(done) == [{"paths": ["tests/*"], "reason": "allowed in .gitguardian.yaml"}]
    assert "ignored-matches" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("other.txt", "x", "--from"),
        (".gitleaks.toml", "[[", "no file of gitleaks"),
        (".talismanrc", "- a", "no file of talisman"),
        (".gitguardian.yml", "a: [", "no file of ggshield"),
    ],
)
def test_what_is_none_of_these_files_is_refused_with_a_remedy(
    migrate: Migrate, name: str, text: str, said: str
) -> None:
    error = migrate(name, text).exception
    assert said in f"{error} {getattr(error, 'remedy', '')}"


def test_rules_of_gitleaks_are_called_by_our_names(migrate: Migrate) -> None:
    text = (
        "[[allowlists]]\ndescription = 'keys'\npaths = ['x/']\n"
        "targetRules = ['aws-access-token', 'github-pat', 'none-such', 'own']\n"
        "[[allowlists]]\ndescription = 'none'\npaths = ['y/']\ntargetRules = ['none-such']\n"
        "[[rules]]\nid = 'own'\nregex = 'a{32}'\n"
    )
    done = migrate(".gitleaks.toml", text)
    (table,) = _tables(done)  # one that is about no rule of ours would be about all
    assert table["rules"] == ["aws-access-key", "github-pat", "imported-own"]
    assert done.stderr.count("no rule here is none-such: see `stanch rules list`") == 2


def test_every_name_that_a_rule_of_gitleaks_has_here_is_one_of_a_rule() -> None:
    table = resources.files("stanch.scanner.cli.migrate").joinpath("gitleaks_rules.yaml")
    ids = {rule.id for rule in load_builtin()}
    for theirs, ours in yaml.safe_load(table.read_text()).items():
        assert theirs not in ids
        assert all(fnmatch.filter(ids, name) for name in ours), theirs


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    for name in ("nofile", ".gitleaks.toml"):
        error = CliRunner().invoke(command, [str(tmp_path / name)]).exception
        assert isinstance(error, UsageError)
        assert error.exit_code == 2
        assert "no file" in str(error) or "No such file" in str(error)
