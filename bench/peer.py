"""What each scanner finds in a tree, as lines of one form: path, line, rule."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scan import (  # type: ignore[import-not-found]  # scripts of one folder
    PEERS,
    binary,
    install,
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """Its name, its command line for a tree and a report, and how the report is read."""

    name: str
    argv: Callable[[Path, Path], Sequence[str]]
    rows: Callable[[str], Iterator[Row]]

    def found(self, tree: Path, work: Path) -> list[Row]:
        """What it finds, with paths below the tree."""
        report = work / f"{self.name}.json"
        report.unlink(missing_ok=True)
        subprocess.run(self.argv(tree, report), check=False, capture_output=True, cwd=work)
        text = report.read_text(errors="replace") if report.exists() else ""
        root = f"{tree}/"
        return [{**row, "path": str(row["path"]).removeprefix(root)} for row in self.rows(text)]


def scanners() -> list[Scanner]:
    """Stanch, and the peers that can be installed; the others are named."""
    own = Path(sys.executable).with_name("stanch")
    all_of_them = [
        Scanner(
            name="stanch",
            argv=lambda tree, out: [
                str(own), "scan", str(tree), "--no-history", "--format", "jsonl",
                "--output", str(out),
            ],
            rows=_ours,
        )
    ]  # fmt: skip
    for name, (options, rows) in _PEERS.items():
        program = binary(name) or (binary(name) if install(name) else None)
        if program is None:
            print(f"{name}: could not be installed, so it is not measured")
            continue
        all_of_them.append(Scanner(name=name, argv=_argv(str(program), options), rows=rows))
    return all_of_them


def _argv(program: str, options: Sequence[str]) -> Callable[[Path, Path], Sequence[str]]:
    def argv(tree: Path, out: Path) -> Sequence[str]:
        return [program, *(each.format(tree=tree, out=out) for each in options)]

    return argv


def _ours(text: str) -> Iterator[Row]:
    for line in text.splitlines():
        row = json.loads(line)
        yield {
            "path": row["path"],
            "line": row["line"],
            "line_end": row["end_line"],
            "rule": row["rule"],
            "provider": row["provider"],
        }


def _betterleaks(text: str) -> Iterator[Row]:
    for row in json.loads(text or "{}").get("findings", ()):
        place = row["location"]
        line = place.get("start_line", 1)  # left out of what it finds in binary files
        yield {
            "path": place["path"],
            "line": line,
            "line_end": place.get("end_line", line),
            "rule": row["rule_id"],
        }


def _gitleaks(text: str) -> Iterator[Row]:
    for row in json.loads(text or "[]"):
        yield {
            "path": row["File"],
            "line": row["StartLine"],
            "line_end": row["EndLine"],
            "rule": row["RuleID"],
        }


def _kingfisher(text: str) -> Iterator[Row]:
    for row in json.loads(text or "{}").get("findings", ()):
        place = row["finding"]
        yield {"path": place["path"], "line": place["line"], "rule": row["rule"]["id"]}


_PEERS: Mapping[str, tuple[Sequence[str], Callable[[str], Iterator[Row]]]] = {
    "betterleaks": (("filesystem", "{tree}", "--no-banner", "--output", "{out}"), _betterleaks),
    "gitleaks": (
        ("dir", "{tree}", "--no-banner", "--report-format=json", "--report-path={out}"),
        _gitleaks,
    ),
    "kingfisher": (
        ("scan", "{tree}", "--no-validate", "--format=json", "--output={out}"),
        _kingfisher,
    ),
}
assert set(_PEERS) == set(PEERS)
