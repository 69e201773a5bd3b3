"""Which key of a YAML text an offset belongs to, as in recorded conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

_DEEPEST = 100  # libyaml needs time by the square of it


class _Level:
    __slots__ = ("index", "is_list", "key", "waits")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.index = -1
        self.key = ""
        self.waits = True


def places(data: bytes, offsets: Iterable[int]) -> Mapping[int, str]:
    """The place of each offset, as far as the text can be read."""
    wanted = sorted(set(offsets), reverse=True)
    found: dict[int, str] = {}
    levels: list[_Level] = []
    # One sign for each byte, so that positions are offsets.
    text = data.decode("latin-1").translate(_PLAIN)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionEndEvent):
                levels.pop()
                continue
            if not isinstance(event, yaml.NodeEvent):
                continue
            _entered(levels, event)
            if isinstance(event, yaml.CollectionStartEvent):
                levels.append(_Level(is_list=isinstance(event, yaml.SequenceStartEvent)))
                continue
            while wanted and event.end_mark and wanted[-1] < event.end_mark.index:
                found[wanted.pop()] = _path(levels)
            if not wanted or len(levels) > _DEEPEST:
                break
    except yaml.YAMLError:
        return found
    return found


#: What YAML does not allow as it stands.
_PLAIN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), "x")


def _entered(levels: list[_Level], event: yaml.NodeEvent) -> None:
    """A key or a value of what is open."""
    if not levels:
        return
    level = levels[-1]
    if level.is_list:
        level.index += 1
    elif level.waits:
        level.key = event.value[:80] if isinstance(event, yaml.ScalarEvent) else "?"
        level.waits = False
    else:
        level.waits = True


def _path(levels: list[_Level]) -> str:
    said = "".join(f"[{each.index}]" if each.is_list else f".{each.key}" for each in levels)
    return said.removeprefix(".")
