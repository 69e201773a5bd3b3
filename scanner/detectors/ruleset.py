"""Which rules there are: the built-in ones and those from files of a user's choice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import scanner.rules
from scanner.detectors import cache
from scanner.model.error import RuleError
from scanner.model.rule import Rule

_LAYOUT = b"rules/2"  # raise it when the fields of Rule change, or what a file is turned into


def load_builtin() -> tuple[Rule, ...]:
    """The rules that ship with the scanner, in order of their file names.

    Parsed rules are kept in the user's cache, so an ordinary run does not load a YAML parser.
    """
    return load(_builtin_files())


def with_builtin(own: Iterable[Path]) -> tuple[Rule, ...]:
    """The built-in rules and those of a user's own files behind them; ids must differ."""
    return load([*_builtin_files(), *own])


def load(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """The rules of ``paths`` in that order; :class:`RuleError` names file and line of a mistake."""
    texts = [(path, _read(path)) for path in paths]
    digest = hashlib.sha256(_LAYOUT)
    for path, text in texts:
        for part in (path.name.encode(), text):
            digest.update(len(part).to_bytes(4, "big") + part)
    name = f"rules-{digest.hexdigest()[:32]}.msgpack"
    folder = cache.directory()
    stored = cache.read(folder, name)
    if stored is not None:
        with suppress(msgspec.MsgspecError):  # written by another version: parsed anew below
            return msgspec.msgpack.decode(stored, type=tuple[Rule, ...])
    rules = _parsed(texts)
    cache.write(folder, name, msgspec.msgpack.encode(rules))
    return rules


def _parsed(texts: Sequence[tuple[Path, bytes]]) -> tuple[Rule, ...]:
    from scanner.detectors import rulefile  # noqa: PLC0415 - loads yaml, which a cached run spares

    rules: list[Rule] = []
    for path, text in texts:
        try:
            rules.extend(rulefile.parse(text.decode(), path.name))
        except UnicodeDecodeError as error:
            raise RuleError(
                f"{path.name}:1: not UTF-8 text", remedy="save the file as UTF-8"
            ) from error
    _consistent(rules)
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
                        remedy=f"use one of: {', '.join(known)}",
                    )


def _builtin_files() -> list[Path]:
    return sorted(path for folder in scanner.rules.__path__ for path in _files(folder))


def _files(folder: str) -> list[Path]:
    return list(Path(folder).glob("*.yaml"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuleError(
            f"cannot read the rule file {path}: {error.strerror}",
            remedy="check the path and its permissions",
        ) from error
