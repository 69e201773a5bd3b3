"""How good detection is: labelled lines, rule examples, and false positives on large clean trees.

``STANCH_BENCH_DATA`` names a folder with ``tree/`` and ``labels.csv`` (labelled lines and examples;
not part of the product), ``STANCH_BENCH_SCORER`` a script that is called with labels, JSON lines
and ``--json FILE``. Without them examples are generated from our own rules, so that there is always
a row; those are Stanch's own claims, and say little about a peer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clean import CLEAN, fetch  # type: ignore[import-not-found]  # as below
from peer import Row, Scanner, scanners  # type: ignore[import-not-found]  # scripts of one folder

_SURROUNDINGS = {
    "env": "HOST=localhost\nPORT=8080\n{}\nDEBUG=false\n",
    "py": "import os\n\n\ndef client():\n    # see the handbook\n    {}\n    return os.environ\n",
    "yaml": "service:\n  name: web\n  replicas: 2\n\n{}\n\nlogging:\n  level: info\n",
    "md": "# Set up\n\nRun this first:\n\n    {}\n\nThen go on.\n",
}
_CREDIBLE = ("--no-weak",)
_LABELLED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("lines: precision", (), ("h2", "core", "precision")),
    ("recall", (), ("h2", "core", "recall")),
    ("F1", (), ("h2", "core", "f1")),
    ("found", (), ("h1", "tier1_recall")),
    ("provider", (), ("h1", "tier1_recall_same")),
    ("credible: found", _CREDIBLE, ("h1", "tier1_recall")),
    ("provider", _CREDIBLE, ("h1", "tier1_recall_same")),
    ("negatives", (), ("h1", "fpr_same_provider")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A file of the generated tree: whose it is, and whether there is something to find."""

    path: str
    provider: str
    positive: bool


def main() -> None:
    """Print all parts."""
    measured = scanners()
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        work = Path(folder)
        labelled(work, measured)
        generated(work, measured)
        clean(work, measured)


def labelled(work: Path, measured: Sequence[Scanner]) -> None:
    """The scorer's figures for every scanner, on the same data in the same run."""
    data, scorer = os.environ.get("STANCH_BENCH_DATA"), os.environ.get("STANCH_BENCH_SCORER")
    if not data or not scorer:
        print("labelled lines and rule examples: not measured; STANCH_BENCH_DATA names the folder")
        print("with tree/ and labels.csv, STANCH_BENCH_SCORER the script that scores them\n")
        return
    print("labelled data: lines of real code, and examples of the most used providers; `credible`")
    print("leaves out examples whose token looks made up, as masks and sequences do")
    titles = [title for title, _, _ in _LABELLED]
    print(f"{'':12} " + "  ".join(titles), flush=True)
    for each in measured:
        findings = work / "labelled.jsonl"
        rows = each.found(Path(data).resolve() / "tree", work)
        findings.write_text("".join(json.dumps(row) + "\n" for row in rows))
        argv = [sys.executable, scorer, str(Path(data) / "labels.csv"), str(findings)]
        said: tuple[tuple[str, ...], ...] = ((), _CREDIBLE)
        read = {options: scored([*argv, *options], work) for options in said}
        cells = (f"{_at(read[o], keys):.3f}".rjust(len(title)) for title, o, keys in _LABELLED)
        print(f"{each.name:12} " + "  ".join(cells), flush=True)
    print()


def scored(argv: Sequence[str], work: Path) -> Any:
    """What the scorer says."""
    scores = work / "scores.json"
    done = subprocess.run(
        [*argv, "--json", str(scores)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"the scorer failed:\n{done.stderr[-2000:]}")
    return json.loads(scores.read_text())


def generated(work: Path, measured: Sequence[Scanner]) -> None:
    """What each finds of examples that are made from our own rules' templates."""
    tree = work / "examples"
    examples = plant(tree)
    positives = sum(each.positive for each in examples)
    print(f"examples made from Stanch's own rules: {positives} with a credential, "
          f"{len(examples) - positives} without")  # fmt: skip
    print("(biased: what Stanch should find is its own claim here, so its row only shows that the")
    print("claims hold in files; a peer's row, how much of them it shares)")
    print(f"{'':12} found  right provider  negatives, own provider", flush=True)
    for each in measured:
        rows = each.found(tree, work)
        hit = {str(row["path"]) for row in rows}
        named = {(str(row["path"]), provider) for row in rows for provider in _providers(row)}
        right = {
            each.path
            for each in examples
            if any(each.path == path and _same(each.provider, p) for path, p in named)
        }
        found = sum(each.positive and each.path in hit for each in examples) / positives
        same = sum(each.positive and each.path in right for each in examples) / positives
        wrong = sum(not each.positive and each.path in right for each in examples)
        share = wrong / max(1, len(examples) - positives)
        print(f"{each.name:12} {found:5.3f}  {same:14.3f}  {share:23.3f}", flush=True)
    print()


def plant(tree: Path) -> list[Example]:
    """One file for each template of each rule, in the kind of file that such text stands in."""
    from stanch.scanner.detectors.proof.token_generator import generate  # noqa: PLC0415  # this part alone knows us
    from stanch.scanner.detectors.ruleset.ruleset import load_builtin  # noqa: PLC0415  # as above

    tree.mkdir()
    made: list[Example] = []
    kinds = list(_SURROUNDINGS)
    for rule in load_builtin():
        for positive, templates in ((True, rule.match), (False, rule.reject)):
            for template in templates:
                number = len(made)
                kind = kinds[number % len(kinds)]
                text = generate(template, number).decode()
                name = f"{number:04}.{kind}"
                whole = text if "\n" in text else _SURROUNDINGS[kind].replace("{}", text)
                (tree / name).write_text(whole + "\n")
                made.append(Example(path=name, provider=rule.provider, positive=positive))
    return made


def _providers(row: Row) -> Iterable[str]:
    """Whom a finding names: our provider, or every beginning of a peer's rule."""
    if "provider" in row:
        return (str(row["provider"]),)
    words = re.split(r"[^a-z0-9]+", str(row["rule"]).lower().rpartition(".")[2])
    return [
        "".join(words[begin:end])
        for begin in range(len(words))
        for end in range(begin + 1, len(words) + 1)
    ]


def _same(one: str, other: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", one.lower()) == re.sub(r"[^a-z0-9]", "", other.lower())


def clean(work: Path, measured: Sequence[Scanner]) -> None:
    """Findings of confidence medium and above on source code that nobody leaked anything in."""
    trees = {name: tree for name in CLEAN if (tree := fetch(name, work)) is not None}
    lines = {name: _lines(tree) for name, tree in trees.items()}
    for name in CLEAN:
        if name not in trees:
            print(f"{name}: could not be fetched, so it is not measured")
    if not trees:
        return
    print("findings for each 100,000 lines of clean source distributions")
    names = [name.partition("=")[0] for name in trees]
    print(f"{'':12} " + "  ".join(f"{name:>12}" for name in (*names, "together")))
    sizes = (*lines.values(), sum(lines.values()))
    print(f"{'lines':12} " + "  ".join(f"{size:12,}" for size in sizes), flush=True)
    for each in measured:
        counts = [len(each.found(tree, work)) for tree in trees.values()]
        shares = [n / size * 1e5 for n, size in zip((*counts, sum(counts)), sizes, strict=True)]
        print(f"{each.name:12} " + "  ".join(f"{share:12.2f}" for share in shares), flush=True)


def _lines(tree: Path) -> int:
    files = (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.read_bytes().count(b"\n") for path in files)


def _at(read: Any, keys: Sequence[str]) -> float:
    for key in keys:
        read = read.get(key) if isinstance(read, dict) else None
    return float(read) if isinstance(read, (int, float)) else float("nan")


if __name__ == "__main__":
    main()
