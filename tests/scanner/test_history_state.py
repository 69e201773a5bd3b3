"""A second scan of a history reads what is new and still reports what was found before."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, Gap, InCommit, Match, Scan, Scanner, SecretValue
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.local import cache

Token = Callable[[int], str]


def _scanner(folder: Path, key: int = 1) -> Scanner:
    return Scanner(
        key=FingerprintKey(SecretValue(bytes([key]) * 32)),
        processes=1,
        history_folder=folder,
    )


def _history(scanner: Scanner, repo: Any, *, parts: bool = False) -> tuple[list[Any], Scan]:
    scan = scanner.scan_path(repo.path, worktree=False, history=True, parts=parts)
    return [each.finding for each in scan if isinstance(each, Match)], scan


def test_the_second_scan_reads_nothing_and_reports_the_same(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    repo.commit("a.txt", "gone\n")
    first, scan = _history(_scanner(tmp_path / "s"), repo)
    assert scan.summary.blobs == 2
    second, again = _history(_scanner(tmp_path / "s"), repo)
    assert second == first
    assert isinstance(first[0].provenance, InCommit)
    assert again.summary.blobs == 0


def test_only_new_commits_are_read(repo: Any, tmp_path: Path, token: Token) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    _history(_scanner(tmp_path / "s"), repo)
    repo.commit("b.txt", f"T={token(2)}\n")
    found, scan = _history(_scanner(tmp_path / "s"), repo)
    assert [each.path for each in found] == ["a.txt", "b.txt"]
    assert scan.summary.blobs == 1


def test_the_state_holds_no_secret_and_is_private(repo: Any, tmp_path: Path, token: Token) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    _history(_scanner(tmp_path / "s"), repo)
    (state,) = (tmp_path / "s").iterdir()
    assert token(1).encode() not in state.read_bytes()
    assert state.stat().st_mode & 0o777 == 0o600


def test_who_wants_the_values_gets_them_from_the_history_itself(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    scanner = _scanner(tmp_path / "s")
    _history(scanner, repo)
    scan = scanner.scan_path(repo.path, worktree=False, history=True, parts=True)
    values = [v.reveal() for m in scan if isinstance(m, Match) for v in m.parts.values()]
    assert values == [token(1).encode()]


def test_another_key_starts_anew(repo: Any, tmp_path: Path, token: Token) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    first, _ = _history(_scanner(tmp_path / "s"), repo)
    second, scan = _history(_scanner(tmp_path / "s", key=2), repo)
    assert scan.summary.blobs == 1
    assert first[0].fingerprint != second[0].fingerprint


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the scanner's code, by which the cache tells its version."""
    copied = tmp_path / "scanner"
    shutil.copytree(cache.CODE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "CODE", str(copied))
    cache.code_stamps.cache_clear()
    yield copied
    cache.code_stamps.cache_clear()


@pytest.mark.parametrize(
    "file",
    ["detectors/structure/jwt.py", "detectors/text/published_sample.txt", "sources/git/history.py",
     "detectors/matching/pattern.py", "model/finding.py"],
)  # fmt: skip
def test_an_edit_anywhere_in_the_code_makes_all_that_is_kept_stale(
    repo: Any, tmp_path: Path, token: Token, code: Path, file: str
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    _history(_scanner(tmp_path / "s"), repo)
    assert _history(_scanner(tmp_path / "s"), repo)[1].summary.blobs == 0
    rules = load_builtin().name
    (code / file).write_text((code / file).read_text() + "#\n")
    cache.code_stamps.cache_clear()
    assert _history(_scanner(tmp_path / "s"), repo)[1].summary.blobs == 1
    assert load_builtin().name != rules


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_broken_state_is_a_full_scan(
    repo: Any, tmp_path: Path, token: Token, damage: bytes
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    first, _ = _history(_scanner(tmp_path / "s"), repo)
    (state,) = (tmp_path / "s").iterdir()
    state.write_bytes(damage)
    assert _history(_scanner(tmp_path / "s"), repo)[0] == first


def test_an_incomplete_scan_is_not_taken_for_a_complete_one(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    (repo.path / ".git" / "refs" / "heads" / "bad").write_text("1" * 40 + "\n")
    for _ in range(2):
        found, scan = _history(_scanner(tmp_path / "s"), repo)
        assert len(found) == 1
        assert not scan.summary.complete


def test_what_an_old_archive_hides_is_said_each_time_without_reading_all_again(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.txt", f"T={token(1)}\n")
    (repo.path / "cut.gz").write_bytes(gzip.compress(b"x" * 5000)[:-12])
    repo.git("add", "cut.gz")
    repo.git("commit", "-q", "-m", "damaged")
    blobs = []
    for _ in range(2):
        scan = _scanner(tmp_path / "s").scan_path(
            repo.path, worktree=False, history=True, parts=False
        )
        gaps = [each for each in scan if isinstance(each, Gap)]
        assert [gap.path.split(" @ ")[0] for gap in gaps] == ["cut.gz"]
        assert not scan.summary.complete
        blobs.append(scan.summary.blobs)
    assert blobs == [2, 0]  # what could be unpacked of it was read


def test_an_interrupted_scan_goes_on_where_it_stopped(
    repo: Any, tmp_path: Path, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stanch.scanner.sources.git.history._STRETCH", 4)
    for number in range(12):
        repo.commit(f"{number:02}.txt", f"T={token(number)}\n")
    scan = iter(_scanner(tmp_path / "s").scan_path(repo.path, worktree=False, parts=False))
    for _ in range(6):
        next(scan)
    scan.close()  # type: ignore[attr-defined]  # a generator
    found, again = _history(_scanner(tmp_path / "s"), repo)
    assert len(found) == 12
    assert again.summary.blobs == 9


def test_git_variables_of_the_caller_mislead_nobody(
    repo: Any, tmp_path: Path, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    repo.commit("a.txt", f"T={token(1)}\n")
    found, _ = _history(_scanner(tmp_path / "s"), repo)
    assert found[0].provenance.author == "Ann Example <ann@example.org>"


def test_a_clean_history_has_no_gap(repo: Any, tmp_path: Path) -> None:
    repo.commit("a.txt", "x")
    scan = _scanner(tmp_path / "s").scan_path(repo.path, worktree=False, parts=False)
    assert not [each for each in scan if isinstance(each, Gap)]
