"""The house's limits: a module is one idea, and a function fits on a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("scanner", "responder", "runbooks", "tests", "bench")
MODULE, FUNCTION = 400, 40  # lines


def modules() -> Iterator[tuple[str, str]]:
    """Every module of ours: its place, and its text."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    long = {place: n for place, text in modules() if (n := len(text.splitlines())) > MODULE}
    assert long == {}


def test_no_function_is_longer_than_forty_lines() -> None:
    long = {
        f"{place}:{node.name}"
        for place, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION
    }
    assert not long
