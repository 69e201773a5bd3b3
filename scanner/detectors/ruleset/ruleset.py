"""Which rules there are: the built-in ones and those from files of a user's choice."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from stanch.scanner.detectors.matching.pattern import learn, width_of
from stanch.scanner.detectors.ruleset import manifest
from stanch.scanner.detectors.ruleset.manifest import Manifest, Sources
from stanch.scanner.local import cache
from stanch.scanner.local.settings import scan_settings
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.finding import Confidence, Severity
from stanch.scanner.model.nearest import nearest
from stanch.scanner.model.record import field_names
from stanch.scanner.model.rule import Pairing, PreviewStyle, Rule, RuleClass

#: Whoever scans a stranger's tree loads the rules that it names.
_LARGEST = 1 << 20  # bytes of a file
_MOST = 4_000  # files, and rules in all of them
_File = TypeVar("_File", str, Path)
_FIELDS = field_names(Rule)
_CLASS = {each.value: each for each in RuleClass}
_SEVERITY = {each.value: each for each in Severity}
_CONFIDENCE = {each.value: each for each in Confidence}
_PREVIEW = {each.value: each for each in PreviewStyle}


class RuleSet(tuple[Rule, ...]):  # noqa: SLOT001  # a tuple can have no slots of its own
    """Rules with the files they were read from, and what is known about them from earlier runs.

    ``name`` is theirs in the cache. ``own`` are those beside the built-in ones, which are looked
    for apart: what somebody else has written must take no finding away.
    """

    sources: Sources
    outline: Manifest | None
    name: str
    builtin: RuleSet | None = None
    own: tuple[Rule, ...] = ()


def load_builtin() -> RuleSet:
    """The rules that ship with the scanner, in order of their file names.

    Parsed rules are kept in the user's cache, so an ordinary run does not load a YAML parser.
    """
    return _load(manifest.builtin())


def with_builtin(own: Iterable[Path]) -> RuleSet:
    """The built-in rules and those of a user's own files behind them; ids must differ."""
    files = _counted(own)
    return with_texts((path.name, _read(path)) for path in files)


def with_texts(own: Iterable[tuple[str, bytes]]) -> RuleSet:
    """As :func:`with_builtin`, of files by their names and contents."""
    builtin, texts = load_builtin(), list(own)
    if not texts:
        return builtin
    name = _name(texts, beside=builtin.name)
    rules = _kept(name) or _keep(_parsed(texts, beside=builtin), name)
    found = RuleSet((*builtin, *rules))
    found.sources, found.outline, found.name = builtin.sources, None, name
    found.builtin, found.own = builtin, rules
    return found


def configured_rules(start: Path) -> RuleSet:
    """The built-in rules, and behind them those that the configuration near ``start`` names."""
    return with_builtin(scan_settings(start).rules)


def configured_texts(start: Path) -> list[tuple[str, bytes]]:
    """The rule files that the configuration near ``start`` names, and what is in them."""
    return [(path.name, _read(path)) for path in _counted(scan_settings(start).rules)]


def load(paths: Iterable[Path]) -> RuleSet:
    """The rules of ``paths`` in that order; :class:`RuleError` names file and line of a mistake."""
    return _load(map(str, paths))


def _load(files: Iterable[str]) -> RuleSet:
    sources = Sources(_counted(files))
    known = manifest.known(sources)
    rules = _kept(known.rules) if known else None
    if known is None or rules is None:
        texts = [(path.name, _read(path)) for path in map(Path, sources.files)]
        known, name = None, _name(texts)
        rules = _kept(name) or _keep(_parsed(texts), name)
    else:
        name = known.rules
    found = RuleSet(rules)
    found.sources, found.outline, found.name = sources, known, name
    return found


def _counted(files: Iterable[_File]) -> tuple[_File, ...]:
    named = tuple(files)
    if len(named) > _MOST:
        raise RuleError(
            f"more than {_MOST:,} rule files", remedy="name the files or the folder that you need"
        )
    return named


def _name(texts: Sequence[tuple[str, bytes]], *, beside: str = "") -> str:
    import hashlib  # noqa: PLC0415  # most starts know the name

    digest = hashlib.sha256(repr(cache.code_stamps()).encode())  # what made rules of the text
    for name, text in ((beside, b""), *texts):
        for part in (name.encode(errors="surrogateescape"), text):
            digest.update(len(part).to_bytes(4, "big") + part)
    return f"rules-{digest.hexdigest()[:32]}.marshal"


def _kept(name: str) -> tuple[Rule, ...] | None:
    """The rules that are kept under a name, None when there are none."""
    body = cache.read(cache.directory(), name)
    if body is None:
        return None
    try:
        rows, widths = marshal.loads(body)  # noqa: S302  # our own, see the cache
        rules = tuple(_rule(dict(zip(_FIELDS, row, strict=True))) for row in rows)
        learn(dict(zip((rule.pattern for rule in rules), widths, strict=True)))
    except (ValueError, EOFError, TypeError, KeyError):  # of another version: parsed anew
        return None
    return rules


def _keep(rules: tuple[Rule, ...], name: str) -> tuple[Rule, ...]:
    """Keep the rules as plain tuples, which load in no time and need no library."""
    rows = [tuple(_plain(getattr(rule, field)) for field in _FIELDS) for rule in rules]
    widths = [width_of(rule.pattern) for rule in rules]
    cache.write(cache.directory(), name, marshal.dumps((rows, widths)))
    return rules


def _plain(value: object) -> object:
    if isinstance(value, Pairing):
        return (value.rule, value.within, value.kind, value.severity.value, value.also)
    return value.value if isinstance(value, Enum) else value


def _rule(row: dict[str, Any]) -> Rule:
    row["rule_class"] = _CLASS[row["rule_class"]]
    row["severity"] = _SEVERITY[row["severity"]]
    row["confidence"] = _CONFIDENCE[row["confidence"]]
    row["preview"] = _PREVIEW[row["preview"]]
    if row["pairing"] is not None:
        rule, within, kind, severity, also = row["pairing"]
        row["pairing"] = Pairing(
            rule=rule, within=within, kind=kind, severity=_SEVERITY[severity], also=also
        )
    return Rule(**row)


def _parsed(texts: Sequence[tuple[str, bytes]], *, beside: Sequence[Rule] = ()) -> tuple[Rule, ...]:
    from stanch.scanner.detectors.ruleset import rule_file  # noqa: PLC0415 - loads yaml, which a cached run spares

    rules: list[Rule] = []
    for name, text in texts:
        try:
            rules.extend(rule_file.parse(text.decode(), name))
        except UnicodeDecodeError as error:
            raise RuleError(f"{name}:1: not UTF-8 text", remedy="save the file as UTF-8") from error
        if len(rules) > _MOST:
            raise RuleError(
                f"{name}: more than {_MOST:,} rules with those before it",
                remedy="keep the rules that you need: every scan compiles and looks for all",
            )
    _consistent((*beside, *rules))
    return tuple(rules)


def _consistent(rules: Sequence[Rule]) -> None:
    """Ids are unique, and a pairing names rules that exist."""
    known: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in known:
            raise RuleError(
                f"{rule.origin}: `{rule.id}` is already defined at {known[rule.id].origin}",
                remedy="give one of them another id",
            )
        known[rule.id] = rule
    for rule in rules:
        if rule.pairing is not None:
            for other in (rule.pairing.rule, *rule.pairing.also):
                if other not in known:
                    raise RuleError(
                        f"{rule.origin}: the pairing names `{other}`, which is no rule",
                        remedy=nearest(other, known, otherwise="see `stanch rules list`"),
                    )


def _read(path: Path) -> bytes:
    try:
        # Without waiting: what a configuration names may be a pipe, or a file of the kernel's.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(_LARGEST + 1) or b""
    except OSError as error:
        raise RuleError(
            f"cannot read the rule file {path}: {error.strerror}",
            remedy="check the path and its permissions",
        ) from error
    if len(text) > _LARGEST:
        raise RuleError(
            f"the rule file {path} is larger than {_LARGEST:,} bytes",
            remedy="name a rule file; divide one that is really so large",
        )
    return text
