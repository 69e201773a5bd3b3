"""The mapping around a place: an object of JSON wherever it stands, or a block of YAML."""

from __future__ import annotations

from stanch.scanner.detectors.document import json_text
from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.json_text import Found


def around(data: bytes, place: int, budget: Budget) -> Found | None:
    """The mapping to which the key at ``place`` belongs; ``place`` is behind the key's quote."""
    quoted = data[place - 1 : place] in (b'"', b"'")
    if quoted:
        found = json_text.around(data, place, budget)
        if found is not None:
            return found
    from stanch.scanner.detectors.document import yaml_text  # noqa: PLC0415 - libyaml loads slowly

    block = yaml_text.around(data, place, budget)
    if block is not None:
        return Found(block, -1)
    return None if quoted else json_text.around(data, place, budget)
