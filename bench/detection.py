"""How good detection is: false positives on large clean trees, and labelled data if there is any.

``STANCH_BENCH_DATA`` names a folder with ``tree/`` and ``labels.csv`` (labelled lines; not part of
the product), ``STANCH_BENCH_SCORER`` a script that is called with the labels and our JSON lines.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# Source distributions that everybody can fetch, together over a million lines.
CLEAN = ("django==5.2", "sympy==1.14.0", "sqlalchemy==2.0.41", "networkx==3.4.2")


def main() -> None:
    """Print both parts."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        work = Path(folder)
        clean(work)
        labelled(work)


def clean(work: Path) -> None:
    """Findings of confidence medium and above on source code that nobody leaked anything in."""
    print("clean source distribution      lines   findings   per 100,000 lines")
    total = found = 0
    for name in CLEAN:
        tree = fetch(name, work)
        if tree is None:
            print(f"{name:24}  could not be fetched")
            continue
        lines = sum(
            path.read_bytes().count(b"\n")
            for path in tree.rglob("*")
            if path.is_file() and not path.is_symlink()
        )
        count = len(scan(tree, work / "found.jsonl").splitlines())
        total, found = total + lines, found + count
        print(f"{name:24} {lines:11,} {count:10} {count / lines * 1e5:12.2f}")
    if total:
        print(f"{'together':24} {total:11,} {found:10} {found / total * 1e5:12.2f}")


def fetch(name: str, work: Path) -> Path | None:
    """A source distribution, unpacked."""
    target = work / name.partition("=")[0]
    target.mkdir()
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*argv, "--no-build-isolation", "--dest", str(target), name],
        check=False,
        capture_output=True,
    )
    archive = next(target.glob("*.tar.gz"), None)
    if done.returncode or archive is None:
        return None
    with tarfile.open(archive) as opened:
        opened.extractall(target / "tree", filter="data")
    archive.unlink()
    return target / "tree"


def scan(tree: Path, report: Path) -> str:
    """Our findings as JSON lines."""
    program = Path(sys.executable).with_name("stanch")
    argv = [str(program), "scan", str(tree), "--no-history", "--format", "jsonl", "--output"]
    subprocess.run([*argv, str(report)], check=False, capture_output=True)
    return report.read_text()


def labelled(work: Path) -> None:
    """Precision and recall on labelled lines, by the scorer that comes with them."""
    data, scorer = os.environ.get("STANCH_BENCH_DATA"), os.environ.get("STANCH_BENCH_SCORER")
    if data is None or scorer is None:
        print("\nlabelled lines: not measured, STANCH_BENCH_DATA and STANCH_BENCH_SCORER are unset")
        return
    report = work / "labelled.jsonl"
    scan(Path(data) / "tree", report)
    argv = [sys.executable, scorer, str(Path(data) / "labels.csv"), str(report)]
    print("\nlabelled lines:", flush=True)
    subprocess.run(argv, check=False)


if __name__ == "__main__":
    main()
