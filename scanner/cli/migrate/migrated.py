"""What became of a file of another scanner."""

from __future__ import annotations

import json
from collections.abc import Iterable

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.record import Record


class Migrated(Record):
    """Allowlists of ours, and a note for whatever has no place in them."""

    allowlists: tuple[Allowlist, ...]
    notes: tuple[str, ...]


def toml(allowlists: Iterable[Allowlist]) -> str:
    """The allowlists as tables for ``stanch.toml``. JSON's texts and lists are TOML's too."""
    tables = []
    for each in allowlists:
        lines = ["[[scan.allowlists]]"]
        lines += [
            f"{key} = {json.dumps(list(values), ensure_ascii=False)}"
            for key in ("paths", "path_regexes", "rules", "regexes")
            if (values := getattr(each, key))
        ]
        lines.append(f"reason = {json.dumps(each.reason, ensure_ascii=False)}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)
