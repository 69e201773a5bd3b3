"""What ``[scan]`` of ``stanch.toml`` (or ``[tool.stanch.scan]`` of ``pyproject.toml``) says.

[scan]
rules = ["rules/", "acme.yaml"]   # your own rule files or folders of them, beside the built-in ones
min_confidence = "medium"         # what findings must reach to be shown

[[scan.allowlists]]               # what is not reported, and why
paths = ["vendor/*"]
reason = "third-party code"

The file is looked for in the folder of the target and above it, up to the file system's root.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.nearest import nearest
from stanch.scanner.model.record import Record

OTHERS = (
    *("store", "broker", "vault", "ledger", "scanner", "slack", "worker", "limits", "web"),
    *(
        "runbooks",
        "secrets",
        "openbao",
        "people",
        "watch",
        "cache",
        "aws",
        "github",
        "manual",
        "copies",
        "hosts",
    ),
)
"""The responder's tables, which may stand in the same file."""

_TABLES = {"stanch.toml": ("scan", "ci", *OTHERS), "pyproject.toml": ("scan",)}
_KEYS = ("rules", "min_confidence", "allowlists")
_LARGEST = 1 << 20  # bytes; whoever scans a stranger's tree reads what lies in it
CONFIGURATIONS = (("stanch.toml", ("scan",)), ("pyproject.toml", ("tool", "stanch", "scan")))
"""Where settings are looked for, and under which keys."""


class ScanSettings(Record):
    """The table, every value checked; ``rules`` are files that exist, or as they are written."""

    rules: tuple[Path, ...] = ()
    min_confidence: Confidence | None = None
    allowlists: tuple[Allowlist, ...] = ()


def scan_settings(start: Path) -> ScanSettings:
    """The settings that apply to ``start``, a folder or a file; defaults when there are none."""
    found = _nearest_table(start)
    return ScanSettings() if found is None else parse(found[1], found[0])


def parse(table: Mapping[str, object], file: Path, *, files: bool = True) -> ScanSettings:
    """Check a table of ``file``; relative paths start at its folder.

    Without ``files`` the rules are those of a commit, which are no files here.

    Raises :class:`UsageError` that names file and line and, for unknown keys, the nearest key.
    """
    for key in table:
        if key not in _KEYS:
            _fail(file, key, f"unknown key `{key}` in [scan]", nearest(key, _KEYS))
    return ScanSettings(
        rules=_rules(table.get("rules", []), file, files=files),
        min_confidence=_confidence(table.get("min_confidence"), file),
        allowlists=_allowlists(table.get("allowlists", []), file),
    )


def _allowlists(value: object, file: Path) -> tuple[Allowlist, ...]:
    if not value:
        return ()
    # Loaded late: most configurations allow nothing.
    from stanch.scanner.local.allowlist_table import allowlists  # noqa: PLC0415

    lines = _lines(file, "allowlists")

    def place(number: int) -> str:
        line = f":{lines[number - 1]}" if number <= len(lines) else ""
        return f"{file}{line}: allowlist {number}"

    return allowlists(value, place)


def _rules(value: object, file: Path, *, files: bool) -> tuple[Path, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _fail(file, "rules", "`rules` is not a list of paths", 'write rules = ["my-rules.yaml"]')
    if not files:
        return tuple(map(Path, value))
    paths: list[Path] = []
    for each in value:
        path = file.parent / each
        try:
            named = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
            found = bool(named) and all(one.is_file() for one in named)
        except (OSError, ValueError):  # too long for a path, or with a NUL in it
            found = False
        if not found:
            _fail(file, "rules", f"there are no rules at {each}", "name a YAML file or a folder")
        paths += named
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
        for name, keys in CONFIGURATIONS:
            file = folder / name
            if file.is_file():
                found = table(_text(file), file, keys)
                if found is not None:
                    return file, found
    return None


def _text(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        _fail(file, "", f"cannot be read: {error.strerror}", "check its permissions")
    if len(data) <= _LARGEST:
        return data
    if file.name == "stanch.toml":
        _fail(file, "", f"is larger than {_LARGEST >> 20} MiB", "keep what [scan] needs")
    return b""  # no person's pyproject.toml, and no table of ours


def table(data: bytes, file: Path, keys: tuple[str, ...]) -> Mapping[str, object] | None:
    """Our table in the content of ``file``, None when there is none."""
    import tomllib  # noqa: PLC0415  # most scans have no such file, and starting has to be quick

    try:
        found: object = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, too deep, too long
        if not file.name.startswith("stanch.toml"):
            return None  # another tool's file, which says nothing to us
        _fail(file, "", f"is not TOML: {error}", "mend the syntax")
    for key in keys:
        if key == keys[-1]:
            _refuse_unknown(found, file)
        found = found.get(key) if isinstance(found, Mapping) else None
    if found is not None and not isinstance(found, Mapping):
        _fail(file, keys[-1], "`scan` is not a table", "write [scan]")
    return found


def _refuse_unknown(tables: object, file: Path) -> None:
    """What is misspelt would count for nothing, in silence."""
    known = next(names for name, names in _TABLES.items() if file.name.startswith(name))
    for name in tables if isinstance(tables, Mapping) else ():
        if name not in known:
            _fail(file, name, f"there is no table `{name}`", nearest(name, known))


def _fail(file: Path, key: str, message: str, remedy: str) -> NoReturn:
    place = f"{file}:{(*_lines(file, key), 1)[0]}: " if key else f"{file}: "
    raise UsageError(place + message, remedy=remedy)


def _lines(file: Path, key: str) -> list[int]:
    """The lines on which ``key`` is set; none when that cannot be told."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError:  # of a commit
        return []
    found = []
    for number, line in enumerate(lines, 1):
        name = line.strip().strip("[]").split("=")[0].strip().strip("\"'")
        if key == name or key in name.split("."):
            found.append(number)
    return found
