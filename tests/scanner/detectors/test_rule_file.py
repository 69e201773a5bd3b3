from __future__ import annotations

import re
from pathlib import Path

import pytest

from stanch.scanner.detectors.proof.selftest import faults
from stanch.scanner.detectors.ruleset.ruleset import load, with_builtin
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.rule import PreviewStyle, RuleClass

_GOOD = """\
provider: acme
rules:
  - id: acme-token
    title: Acme token
    kind: api-token
    class: B
    severity: high
    confidence: high
    pattern: 'acme_[0-9a-f]{32}'
    checks: [placeholder]
    preview: ends
    remedy: Revoke it.
    link: https://acme.invalid/tokens
    match: ["acme_{hex:32}"]
    reject: ["acme_{hex:8}"]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    return path


def test_a_rule_has_every_field_that_its_file_gives(tmp_path: Path) -> None:
    (rule,) = load([write(tmp_path, _GOOD)])
    assert (rule.id, rule.provider, rule.kind, rule.part) == (
        "acme-token",
        "acme",
        "api-token",
        "value",
    )
    assert rule.rule_class is RuleClass.B
    assert rule.preview is PreviewStyle.ENDS
    assert rule.origin == "acme.yaml:3"
    assert load([tmp_path / "acme.yaml"]) == (rule,)


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "remedy"),
    [
        ("severity: high", "severty: high", 7, "unknown key `severty`", "did you mean `severity`?"),
        ("severity: high", "severity: hihg", 7, "`hihg` is not one of", "did you mean `high`?"),
        ("    kind: api-token\n", "", 3, "`kind` is missing", "add `kind:`"),
        ("[placeholder]", "[placeholdr]", 10, "no check `placeholdr`", "mean `placeholder`?"),
        ("{32}'", "+'", 9, "can match more than", "upper bound"),
        ("'acme_[0-9a-f]{32}'", "'(a(b'", 9, "the pattern is not valid", "`re` pattern"),
        ("'acme_[0-9a-f]{32}'", "'a{0,3}'", 9, "matches nothing at all", "at least one"),
        ("acme-token", "Acme Token", 3, "is not a rule id", "lower case"),
        ('match: ["acme_{hex:32}"]', "match: []", 14, "needs an example", "add a template"),
        ("provider: acme", "provider: [a]", 1, "expected a text", "one value"),
        ("    title: Acme token", "    id: x", 4, "given twice", "keep one"),
        ("provider: acme", "provider: acme: b", 1, "not YAML", "syntax"),
    ],
)
def test_a_mistake_names_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    with pytest.raises(RuleError) as caught:
        load([write(tmp_path, _GOOD.replace(old, new, 1))])
    assert str(caught.value).startswith(f"acme.yaml:{line}: ")
    assert message in str(caught.value)
    assert remedy in caught.value.remedy


def test_two_rules_of_one_id_name_each_other(tmp_path: Path) -> None:
    twice = _GOOD + _GOOD.split("rules:\n")[1]
    with pytest.raises(RuleError, match=r"acme.yaml:16: .* already defined at acme.yaml:3"):
        load([write(tmp_path, twice)])


def test_a_pairing_names_a_rule_that_exists(tmp_path: Path) -> None:
    pairing = "    pairing: {rule: acme-secret, within: 3, kind: key, severity: high}\n"
    with pytest.raises(RuleError, match="names `acme-secret`, which is no rule"):
        load([write(tmp_path, _GOOD + pairing)])


@pytest.mark.parametrize("text", ["", "[]", "rules: 3\nprovider: a\n"])
def test_a_file_without_rules_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(RuleError, match=r"acme.yaml:1: "):
        load([write(tmp_path, text)])


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot read the rule file"):
        load([tmp_path / "none.yaml"])
    (tmp_path / "latin.yaml").write_bytes(b"provider: \xe9")
    with pytest.raises(RuleError, match="not UTF-8"):
        load([tmp_path / "latin.yaml"])


def test_a_rule_file_beyond_all_measure_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path, _GOOD)
    with path.open("ab") as file:
        file.truncate(1 << 33)  # a hole: nothing on disk, 8 GB for whoever reads it
    with pytest.raises(RuleError, match="larger than") as caught:
        load([path])
    assert path.name in str(caught.value)


def test_more_rules_than_anybody_needs_are_refused(tmp_path: Path) -> None:
    head, body = _GOOD.split("rules:\n")
    paths = []
    for number in range(9):
        rules = (body.replace("acme-token", f"acme-{number}-{each}") for each in range(500))
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(head + "rules:\n" + "".join(rules))
    with pytest.raises(RuleError, match="more than 4,000 rules"):
        load(paths)
    with pytest.raises(RuleError, match="more than 4,000 rule files"):
        load([tmp_path / f"none-{number}.yaml" for number in range(4001)])


def test_every_example_of_the_documents_loads(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "rules.md"
    whole, *parts = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert [rule.id for rule in load([write(tmp_path, whole)])] == ["acme-token", "acme-secret"]
    frame = _GOOD.replace("    pattern: 'acme_[0-9a-f]{32}'\n    checks: [placeholder]\n", "{part}")
    for part in parts:
        assert load([write(tmp_path, frame.replace("{part}", part))])
    assert len(parts) == 3  # a shorthand each: token, place, document


def test_the_examples_of_the_documents_are_found(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "rules.md"
    (whole, *_) = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert not list(faults(load([write(tmp_path, whole)])))


def test_a_pairing_with_no_rule_names_the_nearest_few(tmp_path: Path) -> None:
    pairing = "pairing: {rule: aws-acces-key, within: 5, kind: key-pair, severity: high}"
    own = write(tmp_path, _GOOD.replace("checks: [placeholder]", pairing))
    with pytest.raises(RuleError) as caught:
        with_builtin([own])
    assert "`aws-access-key`" in caught.value.remedy
    assert len(caught.value.remedy) < 120
