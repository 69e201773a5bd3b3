"""The outline of a rule set: what a look needs to know of it without reading a single rule.

It is found by the rule files themselves, by their place and times and not by their content, so
that starting reads one small file instead of hundreds. Our own code counts among the files: what
another version has derived from the same rules is derived anew.
"""

from __future__ import annotations

import marshal
import os
import zlib

from stanch.scanner.detectors import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Stamp = tuple[str, int, int, int, int]

_HERE = os.path.dirname(__file__)
_RULES = os.path.join(os.path.dirname(_HERE), "rules")


class Sources:
    """The files behind a rule set, and how they were when it was asked for."""

    __slots__ = ("files", "stamps")

    def __init__(self, files: Iterable[str]) -> None:
        self.files = tuple(files)
        self.stamps = tuple(stamp(file) for file in (*self.files, *_listed(_HERE, ".py")))

    @property
    def name(self) -> str:
        """Under which their outline is kept."""
        return f"outline-{zlib.crc32(os.fsencode(os.pathsep.join(self.files))):08x}.marshal"


class Outline:
    """``rules``, ``patterns`` and ``values`` name files of the cache; see ``Prefilter`` for more.

    ``values`` has one name for each rule with keywords, by the rule's index; ``screened`` the first
    check of each rule that has a screen for it.
    """

    __slots__ = ("loose", "patterns", "reach", "rules", "screened", "values")

    def __init__(
        self,
        *,
        rules: str,
        patterns: str,
        values: Mapping[int, str],
        reach: tuple[tuple[int, int], ...],
        loose: Mapping[int, int],
        screened: Mapping[int, str],
    ) -> None:
        self.rules = rules
        self.patterns = patterns
        self.values = values
        self.reach = reach
        self.loose = loose
        self.screened = screened


def builtin() -> list[str]:
    """The rule files that ship with the scanner, in order of their names."""
    return _listed(_RULES, ".yaml")


def known(sources: Sources) -> Outline | None:
    """The outline of these very files, None when it was never made or they have changed since."""
    body = cache.read(cache.directory(), sources.name)
    if body is None:
        return None
    try:
        stamps, made = marshal.loads(body)  # noqa: S302  # our own
        return Outline(**made) if stamps == sources.stamps else None
    except (ValueError, EOFError, TypeError):  # an accident: made anew
        return None


def keep(sources: Sources, made: Outline) -> None:
    """Keep the outline for the next start."""
    fields = {name: getattr(made, name) for name in Outline.__slots__}
    body = (sources.stamps, fields)
    cache.write(cache.directory(), sources.name, marshal.dumps(body))


def _listed(folder: str, ending: str) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(ending))
    return [f"{folder}{os.sep}{name}" for name in names]


def stamp(file: str) -> Stamp:
    """What changes when a file does: nobody can set the time of its last change (ctime)."""
    try:
        now = os.stat(file)
    except OSError:
        return (file, -1, 0, 0, 0)  # whoever reads it says what is wrong
    return (file, now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
