"""No thread is the first to read a type: two that are first at once end the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stanch.responder.domain.resolved_type import resolved
from stanch.responder.domain.step import Effect, StepSpec

_RESPONDER = Path(__file__).parents[3] / "responder"
#: Settings are read before any worker begins.
_ALONE = {"config.py", "entry.py"}


class _Inner(msgspec.Struct):
    number: int


class _Outer(msgspec.Struct):
    inner: _Inner


@dataclass(frozen=True)
class _Params:
    name: str


def _forget(kind: type[object]) -> None:
    kind.__annotations__ = dict.fromkeys(kind.__annotations__, "Nowhere")


def test_a_resolved_type_is_not_looked_at_again() -> None:
    assert resolved(_Outer) is _Outer
    _forget(_Outer)
    _forget(_Inner)

    read = msgspec.json.decode(b'{"inner": {"number": 7}}', type=_Outer)

    assert read == _Outer(inner=_Inner(number=7))


def test_a_step_is_declared_with_parameters_that_are_resolved() -> None:
    spec = StepSpec(name="x.y", title="X", effect=Effect.READ, params=_Params)
    _forget(_Params)

    assert msgspec.convert({"name": "z"}, spec.params) == _Params(name="z")


def test_what_is_read_while_workers_run_is_resolved_where_its_module_is_loaded() -> None:
    files = [path for path in _RESPONDER.rglob("*.py") if path.name not in _ALONE]
    reads = {(path.name, kind) for path in files for kind in _read_in(path)}
    assert len(reads) >= 5
    assert [each for each in sorted(reads) if each[1] is None] == []


def _read_in(path: Path) -> Iterator[str | None]:
    """The types that a module reads by name; None for one that is not resolved."""
    tree = ast.parse(path.read_text())
    ready = {
        ast.unparse(each.targets[0])
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.value).startswith("resolved(")
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("msgspec."):
            continue
        named = [each.value for each in call.keywords if each.arg == "type"]
        if ast.unparse(call.func) == "msgspec.convert":
            named += call.args[1:2]
        for kind in map(ast.unparse, named):
            yield kind if kind in ready or kind.endswith(".params") else None
