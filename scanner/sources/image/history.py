"""Which instruction made which layer, and which layers are the base image's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stanch.scanner.sources.image.manifest import Step

_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s+")
_SHELL = re.compile(r"^(?:/bin/sh -c )(?!#)")
_BUILDKIT = re.compile(r"\s*# buildkit\s*$")
_START = ("CMD", "/bin/sh -c #(nop)  CMD")


def instruction(step: Step) -> str | None:
    """The step as it stood in a Dockerfile, more or less; None when nothing is said."""
    said = (step.created_by or step.comment or "").strip()
    said = _BUILDKIT.sub("", _SHELL.sub("RUN ", _NOP.sub("", said)))
    if said.startswith("|"):
        said = f"RUN {said}"
    return " ".join(said.split()) or None


def makers(history: Sequence[Step], layers: int) -> list[int | None]:
    """For each layer the number of its step, None where the history does not tell.

    Histories may be longer or shorter than the layers are many, and may be missing.
    """
    real = [number for number, step in enumerate(history) if not step.empty_layer]
    if len(real) != layers:
        return [None] * layers
    return list(real)


def base_layers(history: Sequence[Step], layers: int) -> int:
    """How many layers come from the base image, as well as that can be told.

    A base image usually says at its end what is to run: the last such word with a layer behind it.
    """
    last: int | None = None
    behind = False
    for number in range(len(history) - 1, -1, -1):
        step = history[number]
        if not step.empty_layer:
            behind = True
        elif behind and (step.created_by or "").startswith(_START):
            last = number
            break
    if last is None:
        return 0
    below = sum(1 for step in history[:last] if not step.empty_layer)
    return below if below <= layers else 0


def shared_base(chains: Sequence[Sequence[str]]) -> dict[int, int]:
    """For each chain of layers how many of them are the whole of another one."""
    found = {}
    for number, chain in enumerate(chains):
        lengths = (
            len(other)
            for other in chains
            if 0 < len(other) < len(chain) and chain[: len(other)] == other
        )
        found[number] = max(lengths, default=0)
    return found
