"""Reads a gitleaks rule file (TOML) and writes it as rules of ours.

The format: <https://github.com/gitleaks/gitleaks#configuration>. Its patterns are RE2's, which is
nearly Python's dialect; what differs is rewritten here or said in a note. Repetitions without an
upper bound get one, since nothing here may run without bounds.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from stanch.scanner.detectors.matching.pattern import compiled, width_of
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.record import Record

_BOUND = 200
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
    "word": r"\w",
    "space": r"\s",
}
_POSIX = re.compile(r"\[:(\w+):\]")
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_ID = re.compile(r"[^a-z0-9]+")


class Converted(Record):
    """The rules as YAML, and a note for each rule of which something was left out."""

    text: str
    notes: tuple[str, ...]
    imported: int
    total: int

    @property
    def left_out(self) -> bool:
        """Whether a rule, or a part of one, could not be imported."""
        return bool(self.notes)


def converted(file: Path) -> Converted:
    """Every rule of ``file`` that can be imported; raises :class:`RuleError` for another format."""
    entries = _entries(file)
    kept: list[dict[str, object]] = []
    notes: list[str] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        name = _ID.sub("-", str(entry.get("id", f"rule-{number}")).lower()).strip("-")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)  # as for our own rule files
                rule = _rule(f"imported-{name}", entry)
        except RecursionError:
            notes.append(f"{file.name}: {name}: not imported: the pattern is nested too deep")
            continue
        except (re.error, RuleError, ValueError, FutureWarning) as error:
            notes.append(f"{file.name}: {name}: not imported: {error}")
            continue
        if name in seen:
            notes.append(f"{file.name}: {name}: not imported: the id is given twice")
            continue
        seen.add(name)
        kept.append(rule)
        notes += [f"{file.name}: {name}: without {part}" for part in _unfit(entry)]
    text = yaml.safe_dump(
        {"provider": "imported", "rules": kept}, sort_keys=False, allow_unicode=True, width=100
    )
    return Converted(
        text=text if kept else "", notes=tuple(notes), imported=len(kept), total=len(entries)
    )


def dialect(pattern: str) -> str:
    """An RE2 pattern in Python's dialect, ASCII, with an upper bound for every repetition."""
    pattern = _POSIX.sub(_class, pattern)
    pattern = pattern.replace(r"\z", r"\Z").replace(r"\pL", "A-Za-z").replace("(?P>", "(?P<")
    if flags := _FLAGS.search(pattern):
        # Python wants such flags in front; RE2 lets them begin where they stand.
        rest = pattern[flags.end() :]
        pattern = f"{pattern[: flags.start()]}(?{flags[1]}:{rest})"
    return "".join(_bounded(pattern))


def _class(posix: re.Match[str]) -> str:
    if posix[1] not in _CLASSES:
        raise RuleError(f"there is no class {posix[0]}", remedy="write its characters")
    return _CLASSES[posix[1]]


def _bounded(pattern: str) -> Iterator[str]:
    """Replaces ``*``, ``+`` and ``{n,}`` outside of brackets."""
    at, within = 0, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            yield pattern[at : at + 2]
            at += 2
            continue
        if within and sign == "[":
            yield "\\["  # Python reserves a bare one inside of a set
            at += 1
            continue
        within = (sign == "[" and not within) or (within and sign != "]")
        open_end = re.compile(r"\{(\d+),\}").match(pattern, at)
        if not within and sign in "*+" and at:
            yield f"{{{'0' if sign == '*' else '1'},{_BOUND}}}"
        elif not within and open_end:
            yield f"{{{open_end[1]},{int(open_end[1]) + _BOUND}}}"
            at = open_end.end() - 1
        else:
            yield sign
        at += 1


def _entries(file: Path) -> list[Mapping[str, object]]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RuleError(
            f"cannot read {file}: {error.strerror}", remedy="name a gitleaks rule file"
        ) from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, too deep, too long
        raise RuleError(f"{file.name}: not TOML: {error}", remedy="mend the syntax") from error
    rules = read.get("rules")
    if not isinstance(rules, list) or not all(isinstance(each, dict) for each in rules):
        raise RuleError(f"{file.name}: there is no [[rules]]", remedy="name a gitleaks rule file")
    return rules


def _rule(name: str, entry: Mapping[str, object]) -> dict[str, object]:
    regex = entry.get("regex")
    if not isinstance(regex, str):
        raise RuleError("it has no regex (it looks at paths only)", remedy="use an exclude")
    pattern = _grouped(dialect(regex), entry.get("secretGroup"))
    if not pattern.isascii():
        raise RuleError("the pattern is not ASCII", remedy="rewrite it")
    if compiled(pattern).search(b"") is not None:
        raise RuleError("the pattern matches nothing at all", remedy="require a character")
    width_of(pattern)
    keywords = entry.get("keywords")
    words = [str(word) for word in keywords] if isinstance(keywords, list) else []
    title = str(entry.get("description") or name).strip() or name
    rule: dict[str, object] = {
        "id": name,
        "title": title.splitlines()[0][:120],
        "kind": "imported",
        "class": "C",
        "severity": "high",
        "confidence": "medium",
        "pattern": pattern,
    }
    if words:
        rule["keywords"] = words
    rule["checks"] = ["random", "placeholder"] if entry.get("entropy") else ["placeholder"]
    return rule | {
        "remedy": "Revoke the credential at its issuer and replace it where it is used.",
        "link": "https://github.com/gitleaks/gitleaks",
        "match": None,
        "reject": None,
    }


def _grouped(pattern: str, group: object) -> str:
    """The pattern with the secret in its first group."""
    if not isinstance(group, int) or group <= 1:
        return pattern
    if re.compile(pattern).groups < group:
        raise RuleError(f"there is no group {group}", remedy="mend secretGroup")
    seen = 0
    out: list[str] = []
    at = 0
    within = False
    while at < len(pattern):
        if pattern[at] == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        within = (pattern[at] == "[" and not within) or (within and pattern[at] != "]")
        if pattern[at] == "(" and not within and pattern[at + 1 : at + 2] != "?":
            seen += 1
            out.append("(" if seen == group else "(?:")
        else:
            out.append(pattern[at])
        at += 1
    return "".join(out)


def _unfit(entry: Mapping[str, object]) -> list[str]:
    """The parts of an imported rule that have no place here."""
    parts = {
        "path": "its path (rules here apply to every file)",
        "allowlist": "its allowlist (use a baseline or an inline marker)",
        "allowlists": "its allowlists (use a baseline or an inline marker)",
        "required": "its required rules (use a pairing)",
    }
    return [what for key, what in parts.items() if entry.get(key)]
