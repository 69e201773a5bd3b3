"""How fast logs are cleaned and scanned, and masked: megabytes of log a second on one core.

The text is what programs print on this machine: a build of bytecode, a collection of tests, what
the package manager has logged; repeated up to a size. Lines in which anything is found are counted
and left out of the second half of the rows, so that both are there: logs as they are, and clean.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from own import ROOT, installed  # type: ignore[import-not-found]  # as below
from peer import Scanner, scanners  # type: ignore[import-not-found]  # scripts of one folder

SIZE = 48 << 20
_STAMP = b"2025-04-07T12:57:33.2904078Z "
_PRINTS = (
    ("-m", "compileall", "-f", "-o", "0", "scanner", "responder"),
    ("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/responder/domain"),
    ("-m", "pip", "list", "-v"),
)
_LOGS = ("/var/log/dpkg.log", "/var/log/apt/term.log", "/var/log/apt/history.log")


def main() -> None:
    """Print a table for each kind of text."""
    python = installed()
    stanch = str(Path(python).parent / "stanch")
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        work = Path(folder)
        os.environ["STANCH_HOME"] = str(work / "home")
        printed = _printed(work)
        clean = _without_findings(stanch, printed, work)
        for name, text in (("as it is", printed), ("clean", clean)):
            plain = _grown(text)
            stamped = _STAMP + plain.replace(b"\n", b"\n" + _STAMP)
            for kind, data in ((name, plain), (f"{name}, GitHub's stamps", stamped)):
                file = work / "log" / "job.txt"
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(data)
                lines = data.count(b"\n")
                print(f"\n{kind}: {len(data) / 1e6:.0f} MB, {lines:,} lines")
                print(f"{'':24} {'cpu s':>7} {'wall s':>7} {'MB/cpu s':>9}")
                _row("stanch scan log:", [stanch, "scan", f"log:{file}"], len(data))
                _row("stanch mask", [stanch, "mask"], len(data), file)
                for each in scanners():
                    if each.name != "stanch" and data is plain:
                        _peer(each, file.parent, work, len(data))


def _printed(work: Path) -> bytes:
    """Real text of logs."""
    environ = os.environ | {"PYTHONPYCACHEPREFIX": str(work / "bytecode")}
    texts = [
        subprocess.run(
            [sys.executable, *each], cwd=ROOT, env=environ, capture_output=True, check=False
        ).stdout
        for each in _PRINTS
    ]
    texts += [Path(each).read_bytes() for each in _LOGS if Path(each).exists()]
    return b"".join(texts)


def _without_findings(stanch: str, text: bytes, work: Path) -> bytes:
    """The text without the lines in which anything is found, and with their number printed."""
    file = work / "log.txt"
    lines = text.split(b"\n")
    for _ in range(4):
        file.write_bytes(b"\n".join(lines))
        options = ("--format", "jsonl", "--min-confidence", "low", f"log:{file}")
        said = subprocess.run([stanch, "scan", *options], capture_output=True, check=False).stdout
        found = {json.loads(row)["line"] for row in said.splitlines()}
        if not found:
            break
        print(f"{len(found)} of {len(lines):,} lines hold something that may be a secret")
        lines = [line for number, line in enumerate(lines, 1) if number not in found]
    return b"\n".join(lines)


def _grown(text: bytes) -> bytes:
    return b"\n".join(itertools.repeat(text, 1 + SIZE // len(text)))[:SIZE]


def _row(name: str, argv: Sequence[str], size: int, stdin: Path | None = None) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with (stdin or Path(os.devnull)).open("rb") as given:
        subprocess.run(
            argv, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name:24} {cpu:7.2f} {wall:7.2f} {size / 1e6 / cpu:9.0f}", flush=True)


def _peer(each: Scanner, folder: Path, work: Path, size: int) -> None:
    _row(each.name, each.argv(folder, work / "out"), size)
