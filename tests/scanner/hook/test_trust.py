"""What is checked does not configure its own judgement, by rules, a baseline or markers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Finding, FingerprintKey, Fragment, InStream, SecretValue
from stanch.scanner.detectors.checks import CHECKS
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin, with_texts
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.rule import Rule
from stanch.scanner.scan.engine import ScanEngine
from tests.scanner.own_rule import OWN_RULE

Token = Callable[[int], str]
_PARTNER = "aws-secret-key"
_KEY = FingerprintKey(SecretValue(bytes(32)))


def _text() -> bytes:
    token = generate("ghp_{base62:30}{crc32_base62}", 1)
    key, secret = generate("AKIA{base32:16}", 2), generate("{base64:40}", 3)
    copy = generate("glpat-{base62:20}", 4)
    return b"\n".join(
        (
            b"GITHUB = '%b'  # for api.example.com" % token,
            b"AWS_ACCESS_KEY_ID = '%b'  # example.com" % key,
            b"AWS_SECRET_ACCESS_KEY = '%b'  # example.com" % secret,
            b"DB_PASSWORD = 'tr0ub4dor-and-3'  # example.com",
            b"copy = '%b'" % copy.hex().encode(),
        )
    )


def _found(rules: Sequence[Rule]) -> list[Finding]:
    known = {rule.id for rule in load_builtin()}
    fragment = Fragment(data=_text(), provenance=InStream(path="app.py"))
    matches = ScanEngine(rules, _KEY).examine(fragment).matches
    return [each.finding for each in matches if each.finding.rule in known]


def _hostile(rule_class: str, confidence: str) -> str:
    """Rules over whole lines, with every check that there is."""
    rules = "".join(
        f"""
  - id: aaa-{check}
    title: nothing
    kind: nothing
    class: {rule_class}
    severity: low
    confidence: {confidence}
    pattern: '[^\\n]{{10,200}}'
    checks: [{check}]
    remedy: x
    link: https://x.invalid/
    match: null
    reject: [a]
    pairing: {{rule: {_PARTNER}, within: 9, kind: x, severity: low, also: [github-pat]}}"""
        for check in CHECKS
    )
    return f"provider: aaa\nrules:{rules}\n"


@pytest.mark.parametrize("rule_class", "ABCD")
@pytest.mark.parametrize("confidence", ["low", "medium", "high"])
def test_no_rule_of_somebody_else_takes_a_finding_away(rule_class: str, confidence: str) -> None:
    plain = _found(load_builtin())
    assert len({finding.rule for finding in plain}) >= 4
    text = _hostile(rule_class, confidence).encode()
    assert _found(with_texts([("hostile.yaml", text)])) == plain


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", '"x\\e[2J"'),
        ("provider", '"a b"'),
        ("kind", '"x\\n::stop-commands::y"'),
        ("title", '"x\\n::add-mask::y"'),
        ("title", '"x\\u202e"'),
        ("remedy", '"x\\e]0;y\\a"'),
        ("link", '"https://x\\n"'),
        ("id", '"x\\e[2J"'),
    ],
)
def test_a_rule_cannot_bring_signs_that_a_reader_acts_on(field: str, value: str) -> None:
    lines = [
        f"{line.partition(':')[0]}: {value}" if line.strip(" -").startswith(f"{field}:") else line
        for line in OWN_RULE.splitlines()
    ]
    with pytest.raises(RuleError) as caught:
        with_texts([("acme.yaml", "\n".join(lines).encode())])
    assert str(caught.value).isprintable()


@pytest.fixture
def leak(ann: Any, place: Path, token: Token) -> Path:
    """A branch whose tree accepts its own leak in every way: a rule, a baseline and a marker."""
    ann.git("checkout", "-qb", "topic", cwd=place)
    (place / "a.txt").write_text(f"k={token(1)}  # gitleaks:allow\n")
    (place / "b.txt").write_text(f"k={token(2)}\n")
    create = ("baseline", "create", "--reason", "mine", "--expires", "90d", "--author", "eve")
    assert ann.stanch(*create, cwd=place).returncode == 0
    (place / "acme.yaml").write_text(OWN_RULE)
    (place / "stanch.toml").write_text(
        '[scan]\nrules = ["acme.yaml"]\nmin_confidence = "high"\n[ci]\nwaivers = "head"\n'
    )
    (place / "c.txt").write_text(f"x {generate('acme_{hex:32}', 1).decode()}\n")
    ann.git("add", ".", cwd=place)
    assert ann.git("commit", "-qm", "leak", cwd=place).returncode == 0
    return place


def _rules(done: Any) -> list[str]:
    return sorted({json.loads(line)["rule"] for line in done.stdout.splitlines()})


def test_a_scan_believes_whom_it_is_told_to(ann: Any, leak: Path) -> None:
    scan = ("scan", ".", "--format", "jsonl", "--no-history")
    own = ann.stanch(*scan, cwd=leak)
    assert (own.returncode, _rules(own)) == (1, ["acme-token"])
    for trust in ("none", "base"):
        done = ann.stanch(*scan, "--trust", trust, cwd=leak)
        assert (done.returncode, _rules(done)) == (1, ["github-pat"]), done.stderr
        paths = [json.loads(line)["path"] for line in done.stdout.splitlines()]
        assert paths == ["a.txt", "b.txt"]


def test_a_change_brings_neither_rules_nor_waivers(ann: Any, leak: Path) -> None:
    done = ann.stanch("ci", "--base", "main", "--report", "jsonl=-", cwd=leak)
    assert (done.returncode, _rules(done)) == (1, ["github-pat"]), done.stderr
    none = ann.stanch("ci", "--base", "main", "--trust", "none", "--report", "jsonl=-", cwd=leak)
    assert (none.returncode, _rules(none)) == (1, ["github-pat"]), none.stderr
    tree = ann.stanch("ci", "--base", "main", "--trust", "tree", "--report", "jsonl=-", cwd=leak)
    assert (tree.returncode, _rules(tree)) == (1, ["acme-token"]), tree.stderr


def test_the_rules_of_the_target_branch_count(ann: Any, leak: Path) -> None:
    ann.git("branch", "-qf", "main", "topic", cwd=leak)
    (leak / "d.txt").write_text(f"x {generate('acme_{hex:32}', 2).decode()}\n")
    ann.git("add", ".", cwd=leak)
    ann.git("commit", "-qm", "more", cwd=leak)
    done = ann.stanch("ci", "--base", "main", "--report", "jsonl=-", cwd=leak)
    assert (done.returncode, _rules(done)) == (1, ["acme-token"]), done.stderr
    ann.git("rm", "-q", "acme.yaml", cwd=leak)
    ann.git("commit", "-qm", "without", cwd=leak)
    done = ann.stanch("ci", "--base", "main", "--report", "jsonl=-", cwd=leak)
    assert (done.returncode, _rules(done)) == (1, ["acme-token"]), done.stderr


@pytest.mark.parametrize("rules", ["../x.yaml", "/etc/x.yaml", "gone.yaml", "a\\nb"])
def test_rules_of_a_branch_lie_within_it(ann: Any, leak: Path, rules: str) -> None:
    (leak / "stanch.toml").write_text(f'[scan]\nrules = ["{rules}"]\n')
    ann.git("commit", "-qam", "rules", cwd=leak)
    ann.git("branch", "-qf", "main", "topic", cwd=leak)
    done = ann.stanch("scan", "a.txt", "--trust", "base", cwd=leak)
    assert done.returncode == 2
    assert "help:" in done.stderr


def test_a_server_takes_no_rules_from_a_push(ann: Any, leak: Path, tmp_path: Path) -> None:
    bare = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", "-b", "main", bare, cwd=tmp_path)
    assert ann.git("push", "-q", bare, "main", cwd=leak).returncode == 0
    assert ann.stanch("hook", "install", "--type", "pre-receive", cwd=bare).returncode == 0
    done = ann.git("push", "-q", bare, "topic", cwd=leak)
    assert done.returncode != 0
    assert "github-pat" in done.stderr
    assert "acme-token" not in done.stderr


def test_a_rule_of_the_kernel_or_a_pipe_is_not_waited_for(ann: Any, place: Path) -> None:
    (place / "stanch.toml").write_text('[scan]\nrules = ["/proc/kmsg"]\n')
    assert ann.stanch("scan", "README", cwd=place).returncode == 2
    with (place / "stanch.toml").open("wb") as file:
        file.truncate(20 << 30)
    done = ann.stanch("scan", "README", cwd=place)
    assert done.returncode == 2
    assert "larger than" in done.stderr
