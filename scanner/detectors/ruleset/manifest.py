"""The outline of a rule set: what a look needs to know of it without reading a single rule.

It is found by the rule files themselves, by their place and times and not by their content, so
that starting reads one small file instead of hundreds. Our own code counts among the files: what
another version has derived from the same rules is derived anew.
"""

from __future__ import annotations

import marshal
import os
import zlib
from collections.abc import Iterable, Mapping

from stanch.scanner.local import cache

_RULES = os.path.join(cache.CODE, "rules")


class Sources:
    """The files behind a rule set, and how they were when it was asked for."""

    __slots__ = ("files", "stamps")

    def __init__(self, files: Iterable[str]) -> None:
        self.files = tuple(files)
        self.stamps = (*map(cache.stamp, self.files), *cache.code_stamps())

    @property
    def name(self) -> str:
        """Under which their outline is kept."""
        return f"outline-{zlib.crc32(os.fsencode(os.pathsep.join(self.files))):08x}.marshal"


class Manifest:
    """``rules``, ``patterns`` and ``values`` name files of the cache; see ``Prefilter`` for more.

    ``values`` has one name for each rule with keywords, by the rule's index.
    """

    __slots__ = ("loose", "patterns", "reach", "rules", "values")

    def __init__(
        self,
        *,
        rules: str,
        patterns: str,
        values: Mapping[int, str],
        reach: tuple[tuple[int, int], ...],
        loose: Mapping[int, int],
    ) -> None:
        self.rules = rules
        self.patterns = patterns
        self.values = values
        self.reach = reach
        self.loose = loose


def builtin() -> list[str]:
    """The rule files that ship with the scanner, in order of their names."""
    return _listed(_RULES, ".yaml")


def known(sources: Sources) -> Manifest | None:
    """The outline of these very files, None when it was never made or they have changed since."""
    body = cache.read(cache.directory(), sources.name)
    if body is None:
        return None
    try:
        stamps, made = marshal.loads(body)  # noqa: S302  # our own
        return Manifest(**made) if stamps == sources.stamps else None
    except (ValueError, EOFError, TypeError):  # an accident: made anew
        return None


def keep(sources: Sources, made: Manifest) -> None:
    """Keep the outline for the next start."""
    fields = {name: getattr(made, name) for name in Manifest.__slots__}
    body = (sources.stamps, fields)
    cache.write(cache.directory(), sources.name, marshal.dumps(body))


def _listed(folder: str, ending: str) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(ending))
    return [f"{folder}{os.sep}{name}" for name in names]
