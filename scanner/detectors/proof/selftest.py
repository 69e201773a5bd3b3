"""Rules prove themselves: what they must find is found, what they must not is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.matching.confirm import confirmed, everywhere
from stanch.scanner.detectors.matching.prefilter import Prefilter
from stanch.scanner.detectors.proof.token_generator import generate, path_of
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.model.secret import SecretValue

#: Each template is tried with so many seeds, each within other surroundings.
SEEDS = 4
_PATH = "example.env"
_AROUND = (
    (b"", b""),
    (b"# settings\n\n", b"\n"),
    (b"x" * 2000 + b" ", b" " + b"y" * 2000),
    (b"\xff\xfe\x00 ", b"\r\nend of file"),
)


_Unkept = Callable[[Rule, list[Confidence], int], str | None]


class Fault(Record):
    """One claim of a rule that does not hold. ``template`` is the rule's own, never the example."""

    rule: Rule
    template: str
    seed: int
    claim: str


def faults(rules: Sequence[Rule]) -> Iterator[Fault]:
    """What the rules claim and do not keep when all of them run together."""
    engine = Engine(rules, FingerprintKey(SecretValue(bytes(32))))
    for index, rule in enumerate(rules):
        claims: list[tuple[str, _Unkept]] = [(template, _unkept_match) for template in rule.match]
        claims += [(template, _unkept_reject) for template in rule.reject]
        for template, unkept in claims:
            for seed in range(SEEDS):
                path = path_of(template)
                front, back = _AROUND[0 if path else seed % len(_AROUND)]
                data = front + generate(template, seed) + back
                claim = unkept(rule, _found(engine, rule, data, path or _PATH), seed)
                claim = claim or _untrue_twin(engine.prefilter, rule, index, data)
                if claim:
                    yield Fault(rule=rule, template=template, seed=seed, claim=claim)
                    break
    yield from _untrue_together(engine.prefilter, rules)


def _unkept_match(rule: Rule, found: list[Confidence], surroundings: int) -> str | None:
    if not found:
        return f"is not found (surroundings {surroundings})"
    least = Confidence.LOW if rule.confidence is Confidence.LOW else Confidence.MEDIUM
    if all(confidence.rank < least.rank for confidence in found):
        return f"is found with low confidence only (surroundings {surroundings})"
    return None


def _unkept_reject(rule: Rule, found: list[Confidence], surroundings: int) -> str | None:
    if any(confidence is not Confidence.LOW for confidence in found):
        return f"is reported by {rule.id} (surroundings {surroundings})"
    return None


def _untrue_together(prefilter: Prefilter, rules: Sequence[Rule]) -> Iterator[Fault]:
    """Every rule over one example of each rule: what belongs to others must not differ either."""
    proven = [rule for rule in rules if rule.match]
    data = b"\n".join(generate(rule.match[0], 0)[:400] for rule in proven)
    windows = prefilter.windows(data)
    for index, rule in enumerate(rules):
        quick = confirmed(rule, data, windows.get(index, []))
        if quick != everywhere(rule, data):
            claim = f"prefilter and `re` disagree on {rule.id} among the others' examples"
            yield Fault(rule=rule, template="", seed=0, claim=claim)


def _untrue_twin(prefilter: Prefilter, rule: Rule, index: int, data: bytes) -> str | None:
    quick = confirmed(rule, data, prefilter.windows(data).get(index, []))
    agree = quick == everywhere(rule, data)
    return None if agree else f"prefilter and `re` disagree on {rule.id}"


def _found(engine: Engine, rule: Rule, data: bytes, path: str) -> list[Confidence]:
    fragment = Fragment(data=data, provenance=InStream(path=path))
    return [m.finding.confidence for m in engine.scan(fragment) if m.finding.rule == rule.id]
