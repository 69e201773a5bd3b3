"""Two credentials of one kind are two: what identifies them is never a word they have in common."""

from __future__ import annotations

import re

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate, path_of
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.secret import SecretValue

_RANDOM = re.compile(r"\{(?!lf\}|word:|path:|repeat:)[a-z0-9_]+(?::[^{}]*)?\}")


def test_two_examples_of_a_rule_never_share_a_fingerprint() -> None:
    rules = load_builtin()
    engine = Engine(rules, FingerprintKey(SecretValue(bytes(32))))

    def fingerprints(rule: str, template: str, seed: int) -> set[str]:
        place = InStream(path=path_of(template) or "example.env")
        data = generate(template, seed)
        found = [match.finding for match in engine.scan(Fragment(data=data, provenance=place))]
        return {each.fingerprint for each in found if each.rule == rule}

    shared = [
        (rule.id, template)
        for rule in rules
        for template in rule.match
        if _RANDOM.search(template)
        and fingerprints(rule.id, template, 0) & fingerprints(rule.id, template, 1)
    ]
    assert shared == []
