"""Writes ``docs/steps.md`` from the steps' own declarations.

``python -m stanch.responder.providers.page > docs/steps.md`` renews it; a test compares.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping

from stanch.responder.domain.step import Effect, StepSpec
from stanch.responder.providers.registry import SPECS

_HEAD = """\
# Steps

Generated from the steps' declarations by `python -m stanch.responder.providers.page`.

A step looks at the world or changes it. A change is observed before it is made and verified by a
fresh look afterwards; what can be taken back names the step that does it. Only *final* steps
cannot be undone, and a runbook must name an approval for each.
"""
_EFFECT = {
    Effect.READ: "only looks",
    Effect.REVERSIBLE: "changes the world, can be undone",
    Effect.FINAL: "changes the world, **cannot be undone**",
}


def render(specs: Mapping[str, StepSpec] = SPECS) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for spec in specs.values() for line in _section(spec))])


def _section(spec: StepSpec) -> Iterator[str]:
    yield f"## `{spec.name}`"
    yield ""
    yield f"{spec.title}: {_EFFECT[spec.effect]}."
    yield ""
    facts = {
        "Parameters": _parameters(spec),
        "Outputs": _list(spec.outputs),
        "Opens": _list(spec.parts),
        "Undone by": f"`{spec.undo}`" if spec.undo else "",
        "Permissions": _list(spec.permissions),
    }
    for name, value in facts.items():
        if value:
            yield f"- {name}: {value}"
    yield ""


def _parameters(spec: StepSpec) -> str:
    if not dataclasses.is_dataclass(spec.params):
        return ""
    return ", ".join(
        f"`{field.name}`" + ("" if _required(field) else " (optional)")
        for field in dataclasses.fields(spec.params)
    )


def _required(field: dataclasses.Field[object]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(render())
