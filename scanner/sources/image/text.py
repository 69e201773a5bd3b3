"""What stands beside the layers, as text: one value a line, so that a place can be named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stanch.scanner.sources.content.json_size import values

HISTORY = "config/history"
"""Where the instructions of a configuration are, each on a line."""

VERBS = {"config/env": "ENV", "config/labels": "LABEL"}
"""What writes the lines of the other parts."""

_MOST = 200_000  # values of a document: each is a line
_DEEPEST = 60  # levels of JSON


class Pairs(list[tuple[str, Any]]):
    """A JSON object whose every value is kept, those of a name that comes twice too."""

    def get(self, name: str) -> Any:
        """The last value of that name."""
        return next((value for key, value in reversed(self) if key == name), None)


def parsed(data: bytes) -> Any:
    """The JSON in it; raises :class:`ValueError` when it is none."""
    if values(data) > _MOST:  # it is scanned as it is
        raise ValueError("has too many values")
    try:
        return json.loads(data, object_pairs_hook=Pairs)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def lines(value: Any, depth: int = 0) -> Iterator[str]:
    """JSON with a line for each value."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, Pairs):
        yield from _block("{}", ((f"{_said(key)}: ", each) for key, each in value), depth)
    elif isinstance(value, list):
        yield from _block("[]", (("", each) for each in value), depth)
    else:
        yield _said(value)


def _block(marks: str, members: Iterator[tuple[str, Any]], depth: int) -> Iterator[str]:
    yield marks[0]
    for name, each in members:
        first, *rest = lines(each, depth + 1)
        inner = [f"{name}{first}", *rest]
        inner[-1] += ","
        yield from (f" {line}" for line in inner)
    yield marks[1]


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def pretty(data: bytes) -> bytes:
    """A document with a line for each value; as it is when it is no JSON."""
    try:
        return "\n".join(lines(parsed(data))).encode("utf-8", "surrogatepass")
    except ValueError:
        return data


def config_parts(data: bytes) -> dict[str, bytes]:
    """A configuration by what stands in it: ``env``, ``labels``, ``history``, and all the rest.

    In ``env`` and ``labels`` each line is ``NAME=value``; in ``history`` each step is a line.
    """
    try:
        config = parsed(data)
    except ValueError:
        return {"config": data}
    if not isinstance(config, Pairs):
        return {"config": pretty(data)}
    env: dict[str, None] = {}
    labels: dict[str, None] = {}
    for key, value in config:
        if key in {"config", "container_config"} and isinstance(value, Pairs):
            env |= dict.fromkeys(_strings(value.get("Env")))
            named = value.get("Labels")
            pairs = named if isinstance(named, Pairs) else ()
            labels |= dict.fromkeys(f"{k}={v}" for k, v in pairs if isinstance(v, str))
    found = {"env": "\n".join(env), "labels": "\n".join(labels), "history": _steps(config)}
    parts = {f"config/{name}": _bytes(text) for name, text in found.items() if text}
    try:
        parts["config"] = _bytes("\n".join(lines(_rest(config))))
    except ValueError:
        parts["config"] = data
    return parts


def _rest(config: Pairs) -> Pairs:
    """What has no part of its own; what a part could not take stays."""
    rest = Pairs()
    for key, value in config:
        if key in {"config", "container_config"} and isinstance(value, Pairs):
            kept = Pairs(pair for pair in value if not _taken(value, pair))
            rest.append((key, kept))
        elif key != "history" or value is not config.get("history") or not _is_history(value):
            rest.append((key, value))
    return rest


def _taken(holder: Pairs, pair: tuple[str, Any]) -> bool:
    key, value = pair
    if value is not holder.get(key):
        return False
    if key == "Env":
        return isinstance(value, list) and len(_strings(value)) == len(value)
    return (
        key == "Labels"
        and isinstance(value, Pairs)
        and all(isinstance(each, str) for _, each in value)
    )


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Pairs) for each in value)


def _steps(config: Pairs) -> str:
    """Each step on one line: what was run, and whatever else is said of it."""
    history = config.get("history")
    if not _is_history(history):
        return ""
    said = []
    for step in history:
        words = [value for key, value in step if isinstance(value, str) and key != "created"]
        said.append("  ".join(" ".join(each.splitlines()) for each in words))
    return "\n".join(said)


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
