"""The house's limits: a module is one idea, and a function fits on a screen."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("scanner", "responder", "runbooks", "tests", "bench")
MODULE, FUNCTION = 400, 40  # lines
FOLDER = 25  # modules, its __init__ not counted
CODE = ("scanner/", "responder/")


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


def test_no_folder_is_crowded() -> None:
    code = [place for place, _ in modules() if place.startswith(CODE) and "__init__" not in place]
    folders = Counter(place.rpartition("/")[0] for place in code)
    crowded = {folder: n for folder, n in folders.items() if n > FOLDER}
    assert crowded == {}


def test_every_room_of_the_scanner_is_on_the_map() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [path.parent.relative_to(ROOT) for path in (ROOT / "scanner").glob("*/**/__init__.py")]
    names = {str(room) if len(room.parts) == 2 else f"{room.name}/" for room in rooms}
    assert {name for name in names if name not in page} == set()


def test_only_the_door_lies_beside_the_rooms_of_the_scanner() -> None:
    assert {path.name for path in (ROOT / "scanner").glob("*.py")} == {"__init__.py", "api.py"}
