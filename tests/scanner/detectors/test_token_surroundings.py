"""A token is found and its provider named, however a file happens to write it down.

Every rule that describes a whole token is tried with an example of its own in each notation. The
name in front is the first that the rule asks for; a rule that asks for none gets a neutral one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.matching.pattern import lead_of, whole
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match
from stanch.scanner.model.rule import Rule, RuleClass

Scan = Callable[..., list[Match]]

_NOTATIONS = {
    "environment": "{NAME}_TOKEN={token}",
    "shell": 'export {NAME}_API_KEY="{token}"',
    "yaml": "{name}_token: {token}",
    "nested yaml": '{name}:\n  secret: "{token}"',
    "json": '{{"{name}_api_key": "{token}"}}',
    "json in a string": '{{\\"{name}_token\\": \\"{token}\\"}}',
    "go": '{name}Token := "{token}"',
    "call": 'client = {name}.Client(api_key="{token}")',
    "constructor": "const c = new {name}Client('{token}')",
    "array": "'{name}_key' => '{token}',",
    "typed": 'const {name}ApiToken: string = "{token}";',
    "properties": "{name}.token = {token}",
    "xml": "<{name}_token>{token}</{name}_token>",
    "table": "| {name} api key | `{token}` |",
    "comment": "# {name} key: {token}",
    "query": "https://api.{name}.io/v1?api_key={token}",
    "terraform": 'variable "{name}_token" {{\n  default = "{token}"\n}}',
    "next line": "const {name}ApiKey =\n  '{token}';",
    "sentence": "Use the {name} token `{token}` here.",
}
#: What stands in front of a token that needs no name.
_ALONE = whole("x").partition("(x)")[0]
#: Values that an address would write in another way.
_NOT_IN_A_QUERY = re.compile(rb"[/%+|!]")


def test_half_a_thousand_tokens_are_tried(tokens: dict[str, tuple[Rule, bytes]]) -> None:
    assert len(tokens) > 450


@pytest.mark.parametrize("notation", _NOTATIONS)
def test_a_token_is_named_in_every_notation(
    scan: Scan, tokens: dict[str, tuple[Rule, bytes]], notation: str
) -> None:
    unnamed = [
        rule.id
        for rule, token in tokens.values()
        if not (notation == "query" and _NOT_IN_A_QUERY.search(token))
        and not _is_named(scan(_written(rule, token, notation)), rule)
    ]
    assert unnamed == []


@pytest.fixture(scope="module")
def tokens(rules: tuple[Rule, ...], scan: Scan) -> dict[str, tuple[Rule, bytes]]:
    """An example of each rule that describes a whole token and is sure of it."""
    found: dict[str, tuple[Rule, bytes]] = {}
    for rule in rules:
        alone = rule.pattern.startswith(_ALONE) and not rule.keywords
        if rule.confidence is Confidence.LOW or not (alone or lead_of(rule.pattern)):
            continue
        matches = scan(generate(rule.match[0], 0))
        token = next(m.parts[rule.part].reveal() for m in matches if m.finding.rule == rule.id)
        found[rule.id] = (rule, token)
    return found


def _written(rule: Rule, token: bytes, notation: str) -> bytes:
    lead = lead_of(rule.pattern)
    said = re.search(r"\(\?i:(.*?)\)", lead) if lead else None
    name = said[1].replace("[ _.-]?", "_").replace("\\", "") if said else "app"
    return (
        _NOTATIONS[notation].format(NAME=name.upper(), name=name, token=token.decode("ascii"))
    ).encode()


def _is_named(matches: list[Match], rule: Rule) -> bool:
    return any(
        match.finding.provider == rule.provider and match.finding.confidence is not Confidence.LOW
        for match in matches
    )


#: Files that are the secret, and a token whose form says nothing without what stands around it.
_NOT_IN_A_STRING = {
    "jfrog-artifactory-legacy",
    "pkcs12-keystore",
    "java-keystore",
    "private-key-der",
}


def test_a_line_feed_that_is_written_out_is_no_part_of_a_token(rules: tuple[Rule, ...]) -> None:
    """As in JSON, in a notebook's output, in what an assistant has kept."""
    missed = set()
    for rule in rules:
        search = re.compile(rule.pattern.encode()).search
        found = search(generate(rule.match[0], 1)) if rule.match and not rule.document else None
        if found is None or rule.rule_class not in {RuleClass.A, RuleClass.B}:
            continue
        token = found["value" if "value" in found.re.groupindex else min(1, found.re.groups)]
        if search(b'"a %b "' % token) and not search(rb'"a\n%b\n"' % token):
            missed.add(rule.id)
    assert missed <= _NOT_IN_A_STRING


def test_the_id_of_an_application_is_not_its_key(scan: Scan) -> None:
    (match,) = scan(generate("onesignal.js?appId={uuid}", 1), "access.log")
    assert match.finding.confidence is Confidence.LOW


def test_half_of_a_pair_counts_for_nothing_in_an_address(scan: Scan) -> None:
    text = generate("Google ([GPG](https://keys.example.org/search?q={hexup:40}))", 1)
    assert scan(text, "notes.md") == []
