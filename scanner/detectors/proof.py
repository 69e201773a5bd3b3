"""Rules prove themselves: what they must find is found, what they must not is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.detectors.confirm import confirmed, everywhere
from scanner.detectors.engine import Engine
from scanner.detectors.example import generate
from scanner.detectors.prefilter import Prefilter
from scanner.model.finding import Confidence
from scanner.model.fingerprint import FingerprintKey
from scanner.model.fragment import Fragment
from scanner.model.provenance import InStream
from scanner.model.rule import Rule
from scanner.model.secret import SecretValue

#: Each template is tried with so many seeds, each alone and within other text.
SEEDS = 5
_AROUND = (
    (b"", b""),
    (b"# settings\n\n", b"\n"),
    (b"x" * 2000 + b" ", b" " + b"y" * 2000),
    (b"\xff\xfe\x00 ", b"\r\nend of file"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One claim of a rule that does not hold. ``template`` is the rule's own, never the example."""

    rule: Rule
    template: str
    seed: int
    claim: str


def faults(rules: Sequence[Rule]) -> Iterator[Fault]:
    """What the rules claim and do not keep when all of them run together."""
    engine = Engine(rules, FingerprintKey(SecretValue(bytes(32))))
    for rule in rules:
        claims = [(template, _unkept_match) for template in rule.match]
        claims += [(template, _unkept_reject) for template in rule.reject]
        for template, unkept in claims:
            for seed in range(SEEDS):
                example = generate(template, seed)
                claim = unkept(engine, rule, example)
                claim = claim or _untrue_twin(engine.prefilter, rules, example)
                if claim:
                    yield Fault(rule=rule, template=template, seed=seed, claim=claim)
                    break


def _unkept_match(engine: Engine, rule: Rule, example: bytes) -> str | None:
    for number, (front, back) in enumerate(_AROUND):
        found = _found(engine, rule, front + example + back)
        if not found:
            return f"is not found (surroundings {number})"
        if all(confidence is Confidence.LOW for confidence in found):
            return f"is found with low confidence only (surroundings {number})"
    return None


def _unkept_reject(engine: Engine, rule: Rule, example: bytes) -> str | None:
    for number, (front, back) in enumerate(_AROUND):
        if any(c is not Confidence.LOW for c in _found(engine, rule, front + example + back)):
            return f"is reported (surroundings {number})"
    return None


def _untrue_twin(prefilter: Prefilter, rules: Sequence[Rule], example: bytes) -> str | None:
    data = b"".join(front + example + back for front, back in _AROUND)
    windows = prefilter.windows(data)
    for index, rule in enumerate(rules):
        quick = list(confirmed(rule, data, windows.get(index, [])))
        if quick != list(everywhere(rule, data)):
            return f"prefilter and `re` disagree on {rule.id}"
    return None


def _found(engine: Engine, rule: Rule, data: bytes) -> list[Confidence]:
    fragment = Fragment(data=data, provenance=InStream(path="example.env"))
    return [m.finding.confidence for m in engine.scan(fragment) if m.finding.rule == rule.id]
