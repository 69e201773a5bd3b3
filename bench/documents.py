"""How many kinds of documents each scanner reads: one generated token in each.

Every document holds its token as programs of that format write it: cut into runs, compressed, or
encoded where they do so. The samples are those of the tests.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from own import CACHE, ROOT  # type: ignore[import-not-found]  # as below
from peer import Row, Scanner, scanners  # type: ignore[import-not-found]  # scripts of one folder
from scan import token  # type: ignore[import-not-found]  # as above

_SWEEPER = CACHE / "credsweeper"
#: Its most willing setting: every file, no filter, no model.
_OPTIONS = ("--depth", "4", "--pedantic", "--no-filters", "--ml_threshold", "0", "--no-stdout")


def main() -> None:
    """Plant, let each look, and say what each has missed."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        work = Path(folder)
        names = plant(work / "documents")
        print(f"documents of {len(names)} kinds, one token in each")
        print(f"{'':12} {'found':>6} {'seconds':>8}  missed", flush=True)
        for each in (*scanners(), *_sweeper()):
            began = time.perf_counter()
            rows = each.found(work / "documents", work)
            seconds = time.perf_counter() - began
            hit = {name for name in names for row in rows if str(row["path"]).startswith(name)}
            missed = ", ".join(name for name in names if name not in hit)
            print(f"{each.name:12} {len(hit):>3}/{len(names)} {seconds:8.2f}  {missed}", flush=True)


def plant(folder: Path) -> Sequence[str]:
    """One document of each kind; returns their names."""
    sys.path.append(str(ROOT))  # the samples are the tests'
    from tests.scanner.documents.sample import DOCUMENTS  # noqa: PLC0415  # see above

    folder.mkdir()
    chance = random.Random(27)  # noqa: S311  # the same every time, and nothing is protected by it
    for name, make in DOCUMENTS.items():
        (folder / name).write_bytes(make(token(chance)))
    return tuple(DOCUMENTS)


def _sweeper() -> Iterator[Scanner]:
    """CredSweeper, the peer that opens most kinds; it needs an environment of its own."""
    program = _SWEEPER / "bin" / "credsweeper"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_SWEEPER)], check=True)
        pip = [str(_SWEEPER / "bin" / "python"), "-m", "pip", "install", "--quiet", "credsweeper"]
        subprocess.run(pip, check=False, capture_output=True)
    if not program.exists():
        print("credsweeper: could not be installed, so it is not measured")
        return
    yield Scanner(
        name="credsweeper",
        argv=lambda tree, out: [
            str(program),
            "--path",
            str(tree),
            "--save-json",
            str(out),
            *_OPTIONS,
        ],
        rows=_swept,
    )


def _swept(text: str) -> Iterator[Row]:
    for found in json.loads(text or "[]"):
        for line in found["line_data_list"]:
            yield {"path": line["path"], "line": line["line_num"], "rule": found["rule"]}


if __name__ == "__main__":
    main()
