"""Says which AI assistants were looked for, so that finding nothing says what it covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from stanch.scanner.sources.content.display_path import display


def covered(here: Mapping[str, Mapping[str, int]], home: Path, *, own: bool) -> tuple[str, ...]:
    """One line for what is there, one for what is not; ``own``: whoever asks lives there."""
    where = "on this machine" if own else f"below {display(home.as_posix())}"
    return tuple(_lines(here, where))


def _lines(here: Mapping[str, Mapping[str, int]], where: str) -> Iterator[str]:
    there = {name: kinds for name, kinds in here.items() if kinds}
    said = "; ".join(
        f"{name}: {', '.join(_counted(n, kind) for kind, n in sorted(kinds.items()))}"
        for name, kinds in there.items()
    )
    yield f"assistants {where}: {said or 'none of those that were looked for'}"
    absent = [name for name in here if name not in there]
    if absent:
        yield f"looked for, and not there: {', '.join(absent)}"
    yield "not read: what an assistant logs in with itself, and what it keeps elsewhere"


def _counted(number: int, kind: str) -> str:
    return f"{number:,} {kind}" if number == 1 else f"{number:,} {kind}s"
