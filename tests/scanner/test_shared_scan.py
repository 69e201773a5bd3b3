"""Scanning with several processes; run in a child, because tests have threads and pipes open."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.local.fingerprint_key import load_fingerprint_key

Token = Callable[[int], str]

PROGRAM = """
import json, os, sys
from pathlib import Path
from stanch.scanner.scan import batch
from stanch.scanner.api import FingerprintKey, Match, Scanner, SecretValue

killer = sys.argv[3]
ours, real = os.getpid(), batch.scan_batch
def fatal(source, engine, items, *, parts):
    if os.getpid() != ours and killer in items:
        os._exit(9) if sys.argv[4] == "die" else (_ for _ in ()).throw(KeyError("value"))
    return real(source, engine, items, parts=parts)
import stanch.scanner.scan.pool
stanch.scanner.scan.pool.scan_batch = fatal
scan = Scanner(key=FingerprintKey(SecretValue(bytes(32))), processes=int(sys.argv[2])).scan_path(
    Path(sys.argv[1]))
rows = [
    [r.finding.path, {k: v.reveal().decode() for k, v in r.parts.items()}]
    if isinstance(r, Match) else [r.path, r.why] for r in scan]
print(json.dumps([rows, scan.summary.files, scan.summary.size, scan.summary.complete]))
"""


def _scan(root: Path, processes: int, killer: str = "", how: str = "die") -> list[object]:
    argv = [sys.executable, "-c", PROGRAM, str(root), str(processes), killer, how]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    result = json.loads(done.stdout)
    assert isinstance(result, list)
    return result


def test_the_result_does_not_depend_on_the_number_of_processes(tree: Path) -> None:
    alone = _scan(tree, 1)
    assert alone[1:] == [1000, 20 * 40 + 980, True]
    assert _scan(tree, 3) == alone


def test_a_dead_child_costs_only_its_batch_and_the_scan_is_incomplete(tree: Path) -> None:
    rows, files, _, complete = _scan(tree, 2, killer="3/0503.txt")
    assert not complete
    assert files == 1000 - 64
    assert isinstance(rows, list)
    lost = [row for row in rows if "process died" in row[1]]
    assert len(lost) == 64
    assert ["3/0503.txt", "not scanned: the scanning process died"] in lost


def test_a_defect_in_a_child_is_reported_without_the_values_involved(tree: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        _scan(tree, 2, killer="3/0503.txt", how="raise")
    assert "internal error: KeyError" in caught.value.stderr
    assert "'value'" not in caught.value.stderr


def test_an_abandoned_scan_leaves_no_process_behind(tree: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from stanch.scanner.api import FingerprintKey, Scanner, SecretValue\n"
        "key = FingerprintKey(SecretValue(bytes(32)))\n"
        "scan = iter(Scanner(key=key, processes=2).scan_path(Path(sys.argv[1])))\n"
        "next(scan); assert os.waitpid(-1, os.WNOHANG) == (0, 0); scan.close()\n"
        "try: os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError: sys.exit(0)\n"
        "sys.exit('there is a child')\n"
    )
    argv = [sys.executable, "-c", program, str(tree)]
    subprocess.run(argv, check=True, timeout=30)


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    first = load_fingerprint_key(None, tmp_path / "home")
    path = tmp_path / "home" / "fingerprint.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["fingerprint.key"]
    second = load_fingerprint_key(f"file:{path}", tmp_path)
    assert first._key == second._key
