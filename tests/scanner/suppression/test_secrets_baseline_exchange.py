"""Users of detect-secrets come, and could go again, without losing a verdict."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.suppression.baseline import Baseline

Token = Callable[[int], str]
FOR_EVER = ("--expires", "never", "--author", "ann@example.org")
WORDS = "Xk29fjq0" + "dk2mPq"
BLOB = hashlib.sha1(b"a blob", usedforsecurity=False).hexdigest()


def detect_secrets(*arguments: str, cwd: Path, program: str = "") -> tuple[int, str]:
    """The program itself, as installed."""
    module = "detect_secrets.pre_commit_hook" if program == "hook" else "detect_secrets"
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def used_before(repo: Any, token: Token) -> Any:
    """A repository with a baseline that detect-secrets has made and somebody has audited."""
    repo.commit("app.py", f'x = 1\nk = "{token(2)}"\npassword = "{WORDS}"\n')
    repo.commit("odd.txt", f'blob "{BLOB}"\n')
    code, text = detect_secrets("scan", cwd=repo.path)
    assert code == 0
    baseline = json.loads(text)
    for results in baseline["results"].values():
        for each in results:
            if each["type"] != "Secret Keyword":
                each["is_secret"] = each["type"] == "GitHub Token"
    repo.commit(".secrets.baseline", json.dumps(baseline, indent=2) + "\n")
    return repo


def verdicts(path: Path) -> dict[tuple[str, str, str], bool | None]:
    results = json.loads(path.read_text())["results"]
    return {
        (file, each["type"], each["hashed_secret"]): each.get("is_secret")
        for file, found in results.items()
        for each in found
    }


def test_every_entry_is_carried_over_or_kept_and_nothing_new_is_hidden(
    used_before: Any, stanch: Any, token: Token
) -> None:
    path = used_before.path
    ran = stanch("baseline", "import", ".secrets.baseline", *FOR_EVER, cwd=path)
    assert ran.code == 0, ran.err
    assert "kept by hash: odd.txt:1 Hex High Entropy String" in ran.out
    assert "audited as real, hidden as before: app.py:2" in ran.out
    assert stanch("scan", ".", cwd=path).code == 0
    used_before.write("new.py", f'k = "{token(5)}"\n')
    assert stanch("scan", ".", cwd=path).code == 1


def test_what_is_kept_by_hash_counts_when_a_plugin_finds_it(used_before: Any, stanch: Any) -> None:
    path = used_before.path
    plugin = ("--plugin", "HexHighEntropyString", "--no-history")
    assert stanch("scan", "odd.txt", *plugin, cwd=path).code == 1
    stanch("baseline", "import", ".secrets.baseline", *FOR_EVER, cwd=path)
    assert stanch("scan", "odd.txt", *plugin, cwd=path).code == 0
    used_before.write("other.txt", f'blob "{BLOB}"\n')
    assert stanch("scan", "other.txt", *plugin, cwd=path).code == 1


def test_verdicts_survive_the_way_there_and_back(
    used_before: Any, stanch: Any, tmp_path: Path
) -> None:
    path = used_before.path
    stanch("baseline", "import", ".secrets.baseline", *FOR_EVER, cwd=path)
    ran = stanch("baseline", "export", str(tmp_path / "out"), cwd=path)
    assert ran.code == 0, ran.err
    before, after = verdicts(path / ".secrets.baseline"), verdicts(tmp_path / "out")
    assert before.keys() <= after.keys()
    kept = {place: after[place] for place in before}
    assert sum(kept[place] == before[place] for place in before) >= len(before) - 1


def test_detect_secrets_takes_the_exported_file_for_its_own(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.commit("app.py", f'x = 1\nk = "{token(2)}"\npassword = "{WORDS}"\n')
    stanch("baseline", "create", "--reason", "old", *FOR_EVER, cwd=repo.path)
    stanch("baseline", "export", ".secrets.baseline", cwd=repo.path)
    known = verdicts(repo.path / ".secrets.baseline")
    assert {kind for _, kind, _ in known} >= {"GitHub Token", "Secret Keyword"}
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "both")
    hook = ("--baseline", ".secrets.baseline", "app.py")
    assert detect_secrets(*hook, cwd=repo.path, program="hook") == (0, "")
    code, told = detect_secrets("scan", "--baseline", ".secrets.baseline", "app.py", cwd=repo.path)
    assert code == 0, told
    again = verdicts(repo.path / ".secrets.baseline")
    assert {place for place in again if place[0] == "app.py"} == set(known)
    code, told = detect_secrets("audit", "--report", "--json", ".secrets.baseline", cwd=repo.path)
    assert code == 0, told
    assert '"category": "UNVERIFIED"' in told
    repo.write("app.py", f'password = "{WORDS}z"\n')
    repo.git("add", ".")
    assert detect_secrets(*hook, cwd=repo.path, program="hook")[0] == 1


def test_a_custom_plugin_that_a_baseline_names_is_not_run(
    used_before: Any, stanch: Any, tmp_path: Path
) -> None:
    code = tmp_path / "evil.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    path = used_before.path / ".secrets.baseline"
    whole = json.loads(path.read_text())
    whole["plugins_used"].append({"name": "Evil", "path": f"file://{code}"})
    path.write_text(json.dumps(whole))
    ran = stanch("baseline", "import", ".secrets.baseline", *FOR_EVER, cwd=used_before.path)
    assert ran.code == 0, ran.err
    assert "not run: plugin Evil" in ran.out
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "1", "results": []}', "\x00"])
def test_what_is_no_baseline_is_refused_with_a_remedy(repo: Any, stanch: Any, text: str) -> None:
    repo.write("file", text)
    ran = stanch("baseline", "import", "file", *FOR_EVER, cwd=repo.path)
    assert ran.code == 2
    assert "help: " in ran.err
    assert not Path(repo.path, ".stanch-baseline").exists()


def test_an_entry_that_is_kept_by_hash_says_so_in_the_file(used_before: Any, stanch: Any) -> None:
    stanch("baseline", "import", ".secrets.baseline", *FOR_EVER, cwd=used_before.path)
    kept = Baseline.read(used_before.path / ".stanch-baseline").imported
    assert [(each.path, each.is_secret) for each in kept] == [("odd.txt", False)]
    assert kept[0].reason == "detect-secrets baseline, audited as a false alarm"
