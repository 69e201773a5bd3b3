"""References of a runbook: ``${step.output}`` becomes what that step found out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stanch.responder.domain.json import JsonObject, JsonValue

REFERENCE = re.compile(r"\$\{([a-z][a-z0-9-]*)\.([a-z][a-z0-9_]*)\}")

Outputs = Mapping[str, JsonObject]  # step id -> its outputs


def known(value: JsonValue, outputs: Outputs) -> bool:
    """True when every reference in ``value`` can be resolved."""
    return all(
        name in outputs and key in outputs[name] for name, key in REFERENCE.findall(str(value))
    )


def resolve(value: JsonValue, outputs: Outputs) -> JsonValue:
    """``value`` with its references replaced; a lone reference keeps the output's type.

    An unknown reference stays readable as ``‹step.output›``, for plans made before the step ran.
    """
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole and known(value, outputs):
        return outputs[whole[1]][whole[2]]

    def text(found: re.Match[str]) -> str:
        if known(found[0], outputs):
            return str(outputs[found[1]][found[2]])
        return f"‹{found[1]}.{found[2]}›"

    return REFERENCE.sub(text, value)
