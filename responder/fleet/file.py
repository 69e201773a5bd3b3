"""The file of a fleet: what is scanned, what is left out, and how hard each host may be pressed.

targets = ["github:acme", "https://git.example.com/tools/build.git", "mirrors/*.git"]
exclude = ["acme/archive-*"]        # by name; what is left out is counted

[limits.default]                    # every host that has no table of its own
slots = 8                           # units in work at a time, over all workers

[limits."github.com"]
slots = 4
rate = "60/min"                     # units that begin
burst = 10                          # of which so many may begin at once
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from glob import glob
from pathlib import Path
from typing import NoReturn

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.fleet import HostLimit, Limits
from stanch.scanner.api import ScannerError, Unit
from stanch.scanner.model.nearest import nearest

_KEYS = ("name", "targets", "exclude", "losses", "tries", "limits")
_LIMITS = ("slots", "rate", "burst")
_DEFAULT = "default"
_LARGEST = 4 << 20  # bytes
_MOST = 1000  # of anything that is counted here
_RATE = re.compile(r"([1-9][0-9]{0,5})/(s|min|h)")
_SPANS = {"s": 1, "min": 60, "h": 3600}
_LOCAL = ("image:", "log:")  # what may be a path behind this


class FleetFileError(StanchError):
    """The file is wrong; the message names file and line."""

    then = "stanch scan --help"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFile:
    """The file, every value checked, and every target one that can be scanned."""

    path: Path
    name: str
    units: tuple[Unit, ...]
    limits: Limits


def read(path: Path) -> FleetFile:
    """The file at ``path``. Raises FleetFileError."""
    return _Reader(path).file()


class _Reader:
    """One file while it is read: every mistake is said with its line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as opened:
                data = opened.read(_LARGEST + 1)
        except OSError as error:
            self._fail("", f"cannot be read: {error.strerror}", "name a TOML file")
        if len(data) > _LARGEST:
            self._fail("", f"is larger than {_LARGEST >> 20} MiB", "name owners, not repositories")
        try:
            self._text = data.decode("utf-8-sig")
            self._table: Mapping[str, object] = tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            self._fail("", f"is not TOML: {error}", "mend the syntax at that line")

    def file(self) -> FleetFile:
        """The whole."""
        self._known(self._table, _KEYS, "")
        name = self._table.get("name", str(self._path.resolve()))
        if not isinstance(name, str) or not name.strip():
            self._fail("name", "`name` is no text", 'write name = "acme"')
        units = self._units()
        if not units:
            self._fail("targets", "no targets are named", 'write targets = ["github:ORG"]')
        limits = Limits(
            hosts=self._hosts(),
            default=self._limit(_DEFAULT, HostLimit(slots=8)),
            losses=self._count(self._table, "losses", 3),
            tries=self._count(self._table, "tries", 3),
            exclude=self._texts("exclude"),
        )
        if all(unit.fits(limits.exclude) for unit in units):
            why = f"nothing is left to scan: `exclude` leaves out each of {len(units)} targets"
            self._fail("exclude", why, f"narrow it: {units[0].name} is a name that it fits")
        return FleetFile(path=self._path, name=name, units=units, limits=limits)

    def _units(self) -> tuple[Unit, ...]:
        found: dict[str, Unit] = {}
        for text in self._texts("targets"):
            for target, name in self._spread(text):
                try:
                    unit = Unit.of(target, name)
                except ScannerError as error:
                    self._fail(text, str(error), error.remedy)
                if unit.target in found:
                    self._fail(text, f"`{text}` names {name} a second time", "name it once")
                found[unit.target] = unit
        return tuple(found.values())

    def _spread(self, text: str) -> Iterable[tuple[str, str]]:
        """What a text names, and how each is called; paths begin at the file's folder."""
        if text == "-" or text.startswith("agents:"):
            why = f"`{text}` is another thing on each machine"
            self._fail(text, why, "scan it there: stanch scan agents:")
        folder = self._path.resolve().parent
        if any(letter in text for letter in "*?[") and ":" not in text:
            paths = sorted(glob(text, root_dir=folder))  # noqa: PTH207  # as it is written, not absolute
            if not paths:
                self._fail(text, f"nothing fits `{text}`", f"name what lies below {folder}")
            return [(str(folder / path), path) for path in paths]
        for kind in _LOCAL:
            rest = text.removeprefix(kind)
            if rest != text and (folder / rest).exists():
                return [(f"{kind}{(folder / rest).resolve()}", text)]
        if (folder / text).exists():
            return [(str(folder / text), text)]
        return [(text, text)]

    def _hosts(self) -> dict[str, HostLimit]:
        tables = self._table.get("limits", {})
        if not isinstance(tables, Mapping):
            self._fail("limits", "`limits` is no table", 'write [limits."github.com"]')
        return {host.lower(): self._limit(host, HostLimit()) for host in tables if host != _DEFAULT}

    def _limit(self, host: str, otherwise: HostLimit) -> HostLimit:
        tables = self._table.get("limits", {})
        table = tables.get(host) if isinstance(tables, Mapping) else None
        if table is None:
            return otherwise
        if not isinstance(table, Mapping):
            self._fail(host, f"`{host}` is no table", f'write [limits."{host}"]')
        self._known(table, _LIMITS, f'[limits."{host}"] ')
        slots = self._count(table, "slots", 0) if "slots" in table else None
        return HostLimit(slots=slots, pace=self._pace(table), burst=self._count(table, "burst", 1))

    def _pace(self, table: Mapping[str, object]) -> timedelta | None:
        said = table.get("rate")
        if said is None:
            return None
        found = _RATE.fullmatch(said) if isinstance(said, str) else None
        if found is None:
            self._fail("rate", f"`rate` is {said!r}", 'write rate = "60/min", or /s or /h')
        return timedelta(seconds=_SPANS[found[2]]) / int(found[1])

    def _count(self, table: Mapping[str, object], key: str, otherwise: int) -> int:
        value = table.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
            self._fail(key, f"`{key}` is not between 1 and {_MOST:,}", f"write {key} = 4")
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self._fail(key, f"`{key}` is no list of texts", f'write {key} = ["…"]')
        return tuple(value)

    def _known(self, table: Mapping[str, object], keys: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in keys:
                self._fail(key, f"{where}unknown key `{key}`", nearest(key, keys))

    def _fail(self, key: str, message: str, remedy: str) -> NoReturn:
        lines = getattr(self, "_text", "").splitlines()
        at = [n for n, line in enumerate(lines, 1) if key and _says(line, key)]
        place = f"{self._path}:{at[0]}" if at else str(self._path)
        raise FleetFileError(f"{place}: {message}", remedy=remedy)


def _says(line: str, key: str) -> bool:
    """Whether a line sets the key, opens its table, or holds it as a text."""
    name = line.strip().partition("=")[0].strip("[] ")
    return key == name.strip("\"'") or f'"{key}"' in line or key in name.split(".")
