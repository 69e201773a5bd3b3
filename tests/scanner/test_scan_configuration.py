"""``[scan]`` of ``stanch.toml``: own rules, and errors that name file, line and nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.responder import config
from stanch.scanner.cli.rules import command
from stanch.scanner.cli.scan import command as scan
from stanch.scanner.detectors.ruleset.ruleset import configured_rules, load_builtin
from stanch.scanner.local.settings import OTHERS, scan_settings
from stanch.scanner.model.error import ScannerError, UsageError
from stanch.scanner.model.finding import Confidence
from tests.scanner.own_rule import OWN_RULE


def write(folder: Path, text: str, name: str = "stanch.toml") -> Path:
    (folder / name).write_text(text)
    return folder


def test_without_a_file_the_builtin_rules_apply(tmp_path: Path) -> None:
    assert configured_rules(tmp_path) == load_builtin()


@pytest.mark.parametrize("place", ['["own"]', '["own/acme.yaml"]'])
def test_a_folder_or_a_file_of_own_rules_joins_the_builtin_ones(tmp_path: Path, place: str) -> None:
    (tmp_path / "own").mkdir()
    write(tmp_path / "own", OWN_RULE, "acme.yaml")
    write(tmp_path, f"[scan]\nrules = {place}\n")
    (tmp_path / "src").mkdir()
    rules = configured_rules(tmp_path / "src")
    assert rules[:-1] == load_builtin()
    assert rules[-1].id == "acme-token"


def test_pyproject_is_read_where_there_is_no_stanch_toml(tmp_path: Path) -> None:
    write(tmp_path, '[tool.stanch.scan]\nmin_confidence = "low"\n', "pyproject.toml")
    assert scan_settings(tmp_path).min_confidence is Confidence.LOW


@pytest.mark.parametrize(
    ("text", "line", "message", "remedy"),
    [
        ('[scan]\nruls = ["x"]\n', 2, "unknown key `ruls`", "did you mean `rules`?"),
        ('[scan]\n\nrules = "x"\n', 3, "not a list of paths", "write rules ="),
        ('[scan]\nrules = ["none.yaml"]\n', 2, "no rules at none.yaml", "name a YAML file"),
        ('# ours\n[scna]\nrules = ["x"]\n', 2, "no table `scna`", "did you mean `scan`?"),
        ('\n[[scna.allowlists]]\npaths = ["x"]\n', 2, "no table `scna`", "did you mean `scan`?"),
        ('[scan]\nmin_confidence = "hi"\n', 2, "not one of low, medium, high", "medium"),
    ],
)
def test_a_mistake_names_file_line_and_remedy(
    tmp_path: Path, text: str, line: int, message: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        scan_settings(write(tmp_path, text))
    assert f"stanch.toml:{line}: " in str(caught.value)
    assert message in str(caught.value)
    assert remedy in caught.value.remedy


def test_broken_toml_is_an_error_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not TOML"):
        scan_settings(write(tmp_path, "[scan"))


def test_a_mistake_in_an_own_rule_names_its_file(tmp_path: Path) -> None:
    write(tmp_path, OWN_RULE.replace("severity: high", "severty: high"), "acme.yaml")
    with pytest.raises(ScannerError, match=r"acme.yaml:7: unknown key `severty`"):
        configured_rules(write(tmp_path, '[scan]\nrules = ["acme.yaml"]\n'))


def test_the_responder_knows_the_table(tmp_path: Path) -> None:
    write(tmp_path, '[scan]\nrules = ["acme.yaml"]\n')
    assert config.load({"STANCH_HOME": str(tmp_path)}).scan.rules == ("acme.yaml",)


def test_own_rules_are_listed_and_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, OWN_RULE, "acme.yaml")
    monkeypatch.chdir(write(tmp_path, '[scan]\nrules = ["acme.yaml"]\n'))
    listed = CliRunner().invoke(command, ["list", "--provider", "acme"])
    assert [line.split()[0] for line in listed.output.splitlines()] == ["RULE", "acme-token"]
    assert CliRunner().invoke(command, ["check", "acme.yaml"]).exit_code == 0


def test_an_unknown_provider_names_the_nearest() -> None:
    result = CliRunner().invoke(command, ["list", "--provider", "twilo"])
    assert isinstance(result.exception, UsageError)
    assert "twilio" in result.exception.remedy


def test_the_tables_of_the_responder_are_no_mistakes(tmp_path: Path) -> None:
    assert set(OTHERS) == {*config.TABLES, "people", "hosts", "watch"} - {"scan", "ci"}
    text = "".join(f"[{name}]\n" for name in OTHERS)
    found = scan_settings(write(tmp_path, text + '[scan]\nmin_confidence = "low"\n'))
    assert found.min_confidence is Confidence.LOW


def test_a_misspelt_table_of_pyproject_is_named(tmp_path: Path) -> None:
    text = "[tool.other]\n[tool.stanch.scna]\nrules = []\n"
    with pytest.raises(UsageError, match=r"pyproject.toml:2: there is no table `scna`"):
        scan_settings(write(tmp_path, text, "pyproject.toml"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [("paths = []", "would allow everything"), ("regexs = ['a']", "unknown key `regexs`")],
)
def test_a_mistake_in_an_allowlist_names_its_line(tmp_path: Path, entry: str, said: str) -> None:
    text = "[[scan.allowlists]]\npaths = ['a']\nreason = 'ours'\n\n"
    with pytest.raises(UsageError) as caught:
        scan_settings(write(tmp_path, f"{text}[[scan.allowlists]]\n{entry}\nreason = 'ours'\n"))
    assert "stanch.toml:5: allowlist 2: " in str(caught.value)
    assert said in str(caught.value)


def test_a_regex_that_is_wrong_is_named_with_its_allowlist_and_number(tmp_path: Path) -> None:
    text = "[[scan.allowlists]]\nregexes = ['fine', '(']\nreason = 'ours'\n"
    done = CliRunner().invoke(scan, [str(write(tmp_path, text))])
    assert isinstance(done.exception, UsageError)
    assert "stanch.toml:1: allowlist 1, regexes[2]: the regex `(` " in str(done.exception)
