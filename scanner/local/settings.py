"""What ``[scan]`` of ``stanch.toml`` (or ``[tool.stanch.scan]`` of ``pyproject.toml``) says.

[scan]
rules = ["rules/", "acme.yaml"]   # your own rule files or folders of them, beside the built-in ones
min_confidence = "medium"         # what findings must reach to be shown

The file is looked for in the folder of the target and above it, up to the file system's root.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record

_KEYS = ("rules", "min_confidence")
_PLACES = (("stanch.toml", ("scan",)), ("pyproject.toml", ("tool", "stanch", "scan")))


class ScanSettings(Record):
    """The table, every value checked; ``rules`` are files that exist."""

    rules: tuple[Path, ...] = ()
    min_confidence: Confidence | None = None


def scan_settings(start: Path) -> ScanSettings:
    """The settings that apply to ``start``, a folder or a file; defaults when there are none."""
    found = _nearest_table(start)
    return ScanSettings() if found is None else parse(found[1], found[0])


def parse(table: Mapping[str, object], file: Path) -> ScanSettings:
    """Check a table of ``file``; relative paths start at its folder.

    Raises :class:`UsageError` that names file and line and, for unknown keys, the nearest key.
    """
    for key in table:
        if key not in _KEYS:
            import difflib  # noqa: PLC0415  # for mistakes only, and a hook has to start quickly

            near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.4)
            remedy = f"did you mean `{near[0]}`?" if near else f"use one of: {', '.join(_KEYS)}"
            _fail(file, key, f"unknown key `{key}` in [scan]", remedy)
    return ScanSettings(
        rules=_rules(table.get("rules", []), file),
        min_confidence=_confidence(table.get("min_confidence"), file),
    )


def _rules(value: object, file: Path) -> tuple[Path, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _fail(file, "rules", "`rules` is not a list of paths", 'write rules = ["my-rules.yaml"]')
    paths: list[Path] = []
    for each in value:
        path = file.parent / each
        try:
            files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
            found = bool(files) and all(one.is_file() for one in files)
        except (OSError, ValueError):  # too long for a path, or with a NUL in it
            found = False
        if not found:
            _fail(file, "rules", f"there are no rules at {each}", "name a YAML file or a folder")
        paths += files
    return tuple(paths)


def _confidence(value: object, file: Path) -> Confidence | None:
    if value is None:
        return None
    if value not in tuple(Confidence):
        _fail(
            file,
            "min_confidence",
            f"`min_confidence` is not one of {', '.join(Confidence)}",
            'write min_confidence = "medium"',
        )
    return Confidence(str(value))


def _nearest_table(start: Path) -> tuple[Path, Mapping[str, object]] | None:
    here = start.absolute()
    for folder in (here, *here.parents):
        for name, keys in _PLACES:
            file = folder / name
            if file.is_file():
                table = _table(file, keys)
                if table is not None:
                    return file, table
    return None


def _table(file: Path, keys: tuple[str, ...]) -> Mapping[str, object] | None:
    import tomllib  # noqa: PLC0415  # most scans have no such file, and starting has to be quick

    try:
        found: object = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        _fail(file, "", f"cannot be read: {error.strerror}", "check its permissions")
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, too deep, too long
        if file.name != "stanch.toml":
            return None  # another tool's file, which says nothing to us
        _fail(file, "", f"is not TOML: {error}", "mend the syntax")
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found is not None and not isinstance(found, Mapping):
        _fail(file, keys[-1], "`scan` is not a table", "write [scan]")
    return found


def _fail(file: Path, key: str, message: str, remedy: str) -> NoReturn:
    place = f"{file}:{_line(file, key)}: " if key else f"{file}: "
    raise UsageError(place + message, remedy=remedy)


def _line(file: Path, key: str) -> int:
    """The line on which ``key`` is set; 1 when that cannot be told."""
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip().strip("[]").split("=")[0].strip().strip("\"'") == key:
            return number
    return 1
