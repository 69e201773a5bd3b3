"""Allowlists of gitleaks and betterleaks (TOML).

The format: <https://github.com/gitleaks/gitleaks#configuration>.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stanch.scanner.cli.migrate.migrated import Migrated
from stanch.scanner.model.allowlist import Allowlist

_TAKEN = {"description", "id", "paths", "regexes", "stopwords", "condition", "regexTarget",
          "targetRules"}  # fmt: skip
_NAME = re.compile(r"[^a-z0-9]+")


def migrated(text: str, name: str) -> Migrated:
    """The file's allowlists; its rules are imported by ``stanch rules import``."""
    read = tomllib.loads(text)
    notes: list[str] = []
    made: list[Allowlist] = []
    for where, rules, table in _tables(read):
        made += _made(table, rules, f"{name}: {where}", notes)
    extend = read.get("extend")
    if isinstance(extend, Mapping):
        notes += _extended(extend, name)
    if read.get("rules"):
        notes.append(f"{name}: its rules: run `stanch rules import {name}`")
    return Migrated(allowlists=tuple(made), notes=tuple(notes))


def _tables(read: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """Every allowlist, the rules that it is about, and where it stands."""
    for table in _listed(read, "allowlist", "allowlists"):
        targets = table.get("targetRules", [])
        yield "allowlist", tuple(map(_imported, targets)), table
    for rule in read.get("rules", []):
        for table in _listed(rule, "allowlist", "allowlists"):
            rule_id = str(rule.get("id", ""))
            yield f"allowlist of {rule_id}", (_imported(rule_id),), table


def _listed(of: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
    for name in names:
        found = of.get(name, [])
        yield from [found] if isinstance(found, Mapping) else found


def _imported(rule_id: object) -> str:
    """The id that ``stanch rules import`` gives to a rule."""
    return f"imported-{_NAME.sub('-', str(rule_id).lower()).strip('-')}"


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
        yield (
            f"{name}: disabledRules ({', '.join(map(str, disabled))}): our rules have other ids; "
            "see `stanch rules list`, and allow them by [[scan.allowlists]] rules = [...]"
        )
    for key in ("path", "url"):
        if extend.get(key):
            yield f"{name}: extend.{key}: migrate that file as well"
