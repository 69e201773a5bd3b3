"""Allowlists of gitleaks and betterleaks (TOML).

The format: <https://github.com/gitleaks/gitleaks#configuration>.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from stanch.scanner.cli.migrate.migrated import Migrated
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.allowlist import Allowlist

_TAKEN = {"description", "id", "paths", "regexes", "stopwords", "condition", "regexTarget",
          "targetRules"}  # fmt: skip
_NAME = re.compile(r"[^a-z0-9]+")


def migrated(text: str, name: str) -> Migrated:
    """The file's allowlists; its rules are imported by ``stanch rules import``."""
    read = tomllib.loads(text)
    notes: list[str] = []
    made: list[Allowlist] = []
    own = frozenset(str(rule.get("id", "")) for rule in read.get("rules", []) if _shaped(rule))
    for where, theirs, table in _tables(read):
        rules = _known(theirs, own, f"{name}: {where}", notes)
        if rules is not None:  # else it would allow what any rule finds
            made += _made(table, rules, f"{name}: {where}", notes)
    extend = read.get("extend")
    if isinstance(extend, Mapping):
        notes += _extended(extend, name)
    if read.get("rules"):
        notes.append(f"{name}: its rules: run `stanch rules import {name}`")
    return Migrated(allowlists=tuple(made), notes=tuple(notes))


def _tables(read: Mapping[str, Any]) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Every allowlist, the rules of gitleaks that it is about, and where it stands."""
    for table in _listed(read, "allowlist", "allowlists"):
        targets = [str(each) for each in table.get("targetRules", [])]
        yield "allowlist", targets, table
    for rule in read.get("rules", []):
        for table in _listed(rule, "allowlist", "allowlists"):
            rule_id = str(rule.get("id", ""))
            yield f"allowlist of {rule_id}", [rule_id], table


def _shaped(rule: Mapping[str, Any]) -> bool:
    """Whether it is a rule of its own, rather than more about one of gitleaks' rules."""
    return bool(rule.get("regex") or rule.get("path"))


def _listed(of: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
    for name in names:
        found = of.get(name, [])
        yield from [found] if isinstance(found, Mapping) else found


def _ours(theirs: str, own: frozenset[str]) -> tuple[str, ...]:
    """What a rule is called here; of the file's ``own`` rules as ``stanch rules import`` says."""
    if theirs in own:
        return (f"imported-{_NAME.sub('-', theirs.lower()).strip('-')}",)
    return tuple(_names().get(theirs, ()))


@cache
def _names() -> Mapping[str, list[str]]:
    """What rules of gitleaks are called here; most have the same name."""
    table = resources.files("stanch.scanner.cli.migrate") / "gitleaks_rules.yaml"
    others: dict[str, list[str]] = yaml.load(table.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return {rule.id: [rule.id] for rule in load_builtin()} | others


def _known(
    theirs: list[str], own: frozenset[str], where: str, notes: list[str]
) -> tuple[str, ...] | None:
    """The rules here that an allowlist is about: none for any, ``None`` when there are no such."""
    rules = [(each, _ours(each, own)) for each in theirs]
    for name, found in rules:
        if not found:
            notes.append(f"{where}: no rule here is {name}: see `stanch rules list`")
    ours = tuple(dict.fromkeys(rule for _, found in rules for rule in found))
    return ours if ours or not theirs else None


def _made(
    table: Mapping[str, Any], rules: tuple[str, ...], where: str, notes: list[str]
) -> Iterator[Allowlist]:
    notes += [f"{where}: without its {key}" for key in table.keys() - _TAKEN]
    reason = str(table.get("description") or f"allowed in {where}")
    paths = tuple(map(str, table.get("paths", [])))
    values = tuple(map(str, table.get("regexes", [])))
    if values and table.get("regexTarget", "secret") != "secret":
        notes.append(f"{where}: its regexes look at the {table['regexTarget']}, ours at the value")
        values = ()
    values += tuple(f"(?i){re.escape(str(word))}" for word in table.get("stopwords", []))
    if str(table.get("condition", "OR")).upper() in {"AND", "&&"}:
        kinds = [(paths, values)]
    else:
        kinds = [(paths, ()), ((), values)]
    for path_regexes, regexes in kinds:
        if path_regexes or regexes:
            yield Allowlist(reason=reason, rules=rules, path_regexes=path_regexes, regexes=regexes)


def _extended(extend: Mapping[str, Any], name: str) -> Iterable[str]:
    if extend.get("useDefault"):
        yield f"{name}: useDefault: the built-in rules always look"
    if disabled := extend.get("disabledRules"):
        ours = dict.fromkeys(rule for each in disabled for rule in _ours(str(each), frozenset()))
        yield (
            f"{name}: disabledRules ({', '.join(map(str, disabled))}): say why by "
            f"[[scan.allowlists]] rules = {list(ours)}"
        )
    for key in ("path", "url"):
        if extend.get(key):
            yield f"{name}: extend.{key}: migrate that file as well"
