"""Says which AI assistants were looked for, so that finding nothing says what it covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def covered(here: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """One line for what is here, one for what is not."""
    return tuple(_lines(here))


def _lines(here: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    there = {name: kinds for name, kinds in here.items() if kinds}
    said = "; ".join(
        f"{name}: {', '.join(_counted(n, kind) for kind, n in sorted(kinds.items()))}"
        for name, kinds in there.items()
    )
    yield f"assistants on this machine: {said or 'none of those that were looked for'}"
    absent = [name for name in here if name not in there]
    if absent:
        yield f"looked for, and not here: {', '.join(absent)}"
    yield "not read: what an assistant logs in with itself, and what it keeps elsewhere"


def _counted(number: int, kind: str) -> str:
    return f"{number:,} {kind}" if number == 1 else f"{number:,} {kind}s"
