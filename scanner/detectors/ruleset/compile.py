"""Compiles what the prefilter looks for, and keeps it in the user's cache."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import hyperscan

from stanch.scanner.detectors.encoding.decode import MARKS
from stanch.scanner.detectors.matching.pattern import keywords, width_of
from stanch.scanner.detectors.matching.prefilter import MARGIN, MARK, NEAR, Prefilter, stored
from stanch.scanner.detectors.ruleset import manifest
from stanch.scanner.detectors.ruleset.hyperscan_rewrite import least, pieces
from stanch.scanner.detectors.ruleset.manifest import Manifest
from stanch.scanner.detectors.ruleset.ruleset import RuleSet
from stanch.scanner.detectors.text import regex_cache
from stanch.scanner.local import cache
from stanch.scanner.local.time_limit import paused
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule

_VERSION = str(vars(hyperscan)["__version__"]).encode()
_SUPERSET: int = hyperscan.HS_FLAG_PREFILTER
_ONCE: int = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
_WITH_START: int = hyperscan.HS_FLAG_SOM_LEFTMOST
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]|\\[bB]")


class _Pattern(Record):
    """What Hyperscan looks for, the rule it stands for, and how it is wanted."""

    index: int
    expression: bytes
    flags: int


def prefilter(rules: Sequence[Rule]) -> Prefilter:
    """The prefilter over these rules, from the cache if it is there."""
    folder = cache.directory()
    known = rules.outline if isinstance(rules, RuleSet) else None
    database = stored(folder, known.patterns) if known else None
    if known is None or database is None:
        wanted = _wanted(rules)
        known = _outline(rules, wanted)
        database = stored(folder, known.patterns) or _compiled(wanted, folder, known.patterns)
        if isinstance(rules, RuleSet):
            manifest.keep(rules.sources, known)
    if isinstance(rules, RuleSet):
        regex_cache.keep(
            each for rule in rules for each in {rule.pattern.encode(), expression(rule)}
        )
    names = known.values

    def value(index: int) -> hyperscan.Database:
        made = stored(folder, names[index])
        if made is None:
            with paused():
                made = _compiled([_value(index, rules[index])], folder, names[index])
        return made

    return Prefilter(
        database,
        value=value,
        reach=known.reach,
        loose=known.loose,
    )


def prepare(rules: RuleSet, tell: Callable[[], None]) -> None:
    """See to it that these rules are in the cache; ``tell`` is called if that takes a while."""
    known = rules.outline
    if known is None or stored(cache.directory(), known.patterns) is None:
        tell()
        prefilter(rules)


def expression(rule: Rule) -> bytes:
    """What Hyperscan looks for: the rule's keywords, or its pattern."""
    return keywords(rule.keywords) if rule.keywords else rule.pattern.encode()


def _outline(rules: Sequence[Rule], wanted: Sequence[_Pattern]) -> Manifest:
    widths = [width_of(rule.pattern) for rule in rules]
    return Manifest(
        rules=rules.name if isinstance(rules, RuleSet) else "",
        patterns=_name(wanted),
        values={i: _name([_value(i, rule)]) for i, rule in enumerate(rules) if rule.keywords},
        reach=tuple(
            (width + NEAR, NEAR) if rule.keywords else (width, 0)
            for rule, width in zip(rules, widths, strict=True)
        ),
        loose={i: widths[i] + MARGIN for i, rule in enumerate(rules) if rule.keywords},
    )


def _wanted(rules: Sequence[Rule]) -> list[_Pattern]:
    """Every rule exactly and with its beginning where Hyperscan may know it, and the marks."""
    loose = [bool(rule.keywords or _LOOKS_AROUND.search(rule.pattern)) for rule in rules]
    return [
        _Pattern(index=i, expression=piece, flags=_SUPERSET if loose[i] else _WITH_START)
        for i, rule in enumerate(rules)
        for piece in pieces(least(expression(rule)) if loose[i] else expression(rule))
    ] + [_Pattern(index=MARK + i, expression=mark, flags=_ONCE) for i, mark in enumerate(MARKS)]


def _value(index: int, rule: Rule) -> _Pattern:
    """The pattern of a rule that has keywords, as it is looked for near them."""
    return _Pattern(index=index, expression=rule.pattern.encode(), flags=_ONCE)


def _name(patterns: Sequence[_Pattern]) -> str:
    import hashlib  # noqa: PLC0415  # most starts know the names

    digest = hashlib.sha256(_VERSION)
    for each in patterns:
        head = b"%d:%d:%d:" % (each.index, each.flags, len(each.expression))
        digest.update(head + each.expression)
    return f"prefilter-{digest.hexdigest()[:32]}.hs"


def _compiled(patterns: Sequence[_Pattern], folder: cache.Folder, name: str) -> hyperscan.Database:
    try:
        database = _compiled_with(patterns, [_possible(each) for each in patterns])
    except hyperscan.HyperscanError as error:
        raise RuleError(
            f"a pattern cannot be looked for: {_first_unfit(patterns).decode()}: {error}",
            remedy="write it without rare constructs, such as flags for a locale",
        ) from error
    cache.write(folder, name, hyperscan.dumpb(database))
    return database


def _possible(pattern: _Pattern) -> int:
    """The wanted flags, or the superset's where the pattern is too large for its beginning."""
    if pattern.flags == _WITH_START:
        try:
            _compiled_with([pattern], [_WITH_START])
        except hyperscan.HyperscanError:
            return _SUPERSET
    return pattern.flags


def _first_unfit(patterns: Sequence[_Pattern]) -> bytes:
    """The first pattern that cannot be compiled even alone; all together may be too large."""
    for each in patterns:
        try:
            _compiled_with([each], [_possible(each)])
        except hyperscan.HyperscanError:
            return each.expression
    return b"all of them together"


def _compiled_with(patterns: Sequence[_Pattern], flags: Sequence[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.expression for each in patterns],
        ids=[each.index for each in patterns],
        elements=len(patterns),
        flags=list(flags),
    )
    return database
