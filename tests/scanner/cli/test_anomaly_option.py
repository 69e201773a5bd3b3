from __future__ import annotations

import base64
import json
import os
import random
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
Stanch = Callable[..., "subprocess.CompletedProcess[bytes]"]

_STEPS = ("resolve", "compile", "package", "upload", "verify", "install", "archive", "collect")


def _value(seed: int) -> str:
    chance = random.Random(seed)  # noqa: S311  # nothing is protected by it
    return "".join(chance.choice(string.ascii_letters + string.digits) for _ in range(40))


def _log(seed: int) -> str:
    chance = random.Random(seed)  # noqa: S311  # as above
    return "".join(
        f"step {n}: "
        + "_".join(chance.choices(_STEPS, k=4))
        + " of "
        + chance.choice(_STEPS)
        + "\n"
        for n in range(400)
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def stanch(home: Path) -> Stanch:
    def run(*arguments: str | Path, feed: str = "") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [Path(sys.executable).with_name("stanch"), "scan", "--format", "jsonl", *arguments],
            input=feed.encode(),
            capture_output=True,
            check=False,
            timeout=60,
            env=dict(os.environ) | {"STANCH_HOME": str(home), "PYTHONUTF8": "1"},
        )

    return run


def _rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.returncode in {0, 1}, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_anomalies_are_shown_only_when_asked_for(stanch: Stanch, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "run.log").write_text(_log(1))
    (tree / "odd.log").write_text(f"{_log(2)}at {_value(1)} then\n")
    assert _rows(stanch(tree)) == []
    (row,) = _rows(stanch(tree, "--anomalies"))
    assert (row["rule"], row["kind"], row["path"], row["line"], row["column"]) == (
        "anomaly-string",
        "anomaly",
        "odd.log",
        401,
        4,
    )
    assert row["preview"] == "<40 bytes>"


def test_a_file_whose_name_is_not_unicode_is_judged_too(stanch: Stanch, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    Path(os.fsdecode(os.fsencode(tree) + b"/odd\xff.log")).write_text(f"{_log(2)}at {_value(1)}\n")
    assert [row["path"] for row in _rows(stanch(tree, "--anomalies"))] == ["odd\\xff.log"]


def test_what_a_rule_has_found_is_not_reported_again(
    stanch: Stanch, tmp_path: Path, token: Token
) -> None:
    (tmp_path / "odd.log").write_text(f"{_log(2)}at {token(1)} then\n")
    rows = _rows(stanch(tmp_path / "odd.log", "--anomalies"))
    assert [row["provider"] for row in rows] == ["github"]


def test_a_repository_may_accept_an_anomaly_at_its_place(stanch: Stanch, repo: Any) -> None:
    marker = "stanch: allow "
    repo.commit("run.log", f"{_log(2)}at {_value(1)} then # {marker}it is a public name\n")
    done = stanch(repo.path, "--no-history", "--anomalies")
    assert _rows(done) == []
    assert done.returncode == 0


def test_a_log_that_suddenly_changes_is_an_anomaly(stanch: Stanch, home: Path) -> None:
    arguments = ("-", "--anomalies", "--stream-name", "ci/build")
    for seed in range(5):
        assert _rows(stanch(*arguments, feed=_log(seed))) == []
    dump = "".join(f"    x{n} {_value(n)} {_value(-n - 1)}\n" for n in range(100))
    rows = _rows(stanch(*arguments, feed=_log(9) + dump))
    (row,) = [row for row in rows if row["rule"] == "anomaly-stream"]
    assert (row["path"], row["line"], row["source"]) == ("ci/build", 1, "stream")
    assert "suspicious strings per KB, usual 0 ± 0 over 5 scans" in row["reason"]
    kept = b"".join(path.read_bytes() for path in (home / "anomaly").iterdir())
    assert not any(_value(number).encode()[:8] in kept for number in range(100))


def test_nothing_read_is_nothing_to_remember(stanch: Stanch, home: Path) -> None:
    assert _rows(stanch("-", "--anomalies", "--stream-name", "ci/empty")) == []
    assert not (home / "anomaly").exists()


def test_a_broken_baseline_is_one_message_with_its_remedy(stanch: Stanch, home: Path) -> None:
    arguments = ("-", "--anomalies", "--stream-name", "ci/build")
    stanch(*arguments, feed=_log(1))
    (path,) = (home / "anomaly").iterdir()
    path.write_text("{")
    done = stanch(*arguments, feed=_log(1))
    assert done.returncode == 2
    assert b"delete it" in done.stderr
    assert b"Traceback" not in done.stderr


def test_staged_changes_teach_too_little(stanch: Stanch, repo: Any) -> None:
    done = stanch(repo.path, "--staged", "--anomalies")
    assert done.returncode == 2
    assert b"learned from a whole tree" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_anomaly_is_explained_by_its_evidence_as_a_whole(home: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "run.log").write_text(_log(1))
    (tree / "odd.log").write_text(f"{_log(2)}at {_value(1)} then\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("stanch"), "scan", tree, "--anomalies", "--explain"],
        capture_output=True,
        check=False,
        timeout=60,
        env=dict(os.environ) | {"STANCH_HOME": str(home), "PYTHONUTF8": "1"},
    )
    told = " ".join(done.stdout.decode().split())
    assert "No rule knows it: it stands out from what is usual at its place" in told
    assert "alike in this file). " in told
    assert "stanch rules show" not in told
    assert _value(1) not in told


def test_a_job_whose_log_suddenly_holds_encoded_text_is_shown(
    stanch: Stanch, tmp_path: Path
) -> None:
    stamp = "2025-04-07T12:57:33.2904078Z "
    log = tmp_path / "job.txt"

    def run(seed: int, more: str = "") -> list[dict[str, Any]]:
        lines = (_log(seed) + more).splitlines()
        log.write_text("".join(f"{stamp}{line}\n" for line in lines))
        return _rows(stanch("--anomalies", "--stream-name", "ci/build", f"log:{log}"))

    usual = [run(seed) for seed in range(5)]
    chance = random.Random(9)  # noqa: S311  # as above
    dump = base64.b64encode(base64.b64encode(chance.randbytes(3_000))).decode()
    found = [row for row in run(5, dump) if row["rule"] == "anomaly-stream"]
    assert not any(row["rule"] == "anomaly-stream" for rows in usual for row in rows)
    assert [row["reason"] for row in found if "is encoded" in row["reason"]]
