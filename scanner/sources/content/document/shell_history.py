"""When a command in a shell's history was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

_ZSH = re.compile(rb": (\d{9,11}):\d+;")
_BASH = re.compile(rb"#(\d{9,11})\s*\Z")
_FISH = re.compile(rb"\s+when: (\d{9,11})")
_NEAR = 4096  # bytes


def places(data: bytes, offsets: Iterable[int]) -> Mapping[int, str]:
    """The time of the command at each offset."""
    return {offset: _place(data, offset) for offset in offsets}


def _place(data: bytes, offset: int) -> str:
    """``command of TIME``; nothing where the history keeps none."""
    begin = data.rfind(b"\n", 0, offset) + 1
    found = _ZSH.match(data, begin) or _BASH.match(
        data, data.rfind(b"\n", 0, max(0, begin - 1)) + 1, begin
    )
    if not found and data.startswith(b"- cmd: ", begin):
        end = data.find(b"\n", offset)
        found = _FISH.match(data, end + 1, end + _NEAR) if end >= 0 else None
    if not found:
        return ""
    return f"command of {datetime.fromtimestamp(int(found[1]), UTC):%Y-%m-%dT%H:%M:%SZ}"
