"""What looks like a repository and is none that git can read is not clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from stanch.scanner.api import Gap, Match, Scanner
from tests.scanner.conftest import Repo, github_token

BROKEN = {
    "c.git": {"HEAD": "garbage"},
    "d.git": {},
    "mirror": {"objects/info/packs": "", "refs/heads/main": "0" * 40},
    "clone": {".git/HEAD": "garbage", "a.txt": ""},
    "linked": {".git": "gitdir: /nowhere/at/all", "a.txt": ""},
}
WHOLE = {
    "plain": {"objects/account.xml": "", "a.txt": ""},
    "masked": {".git/.keep": ""},
    ".git": {},
}


def made(folder: Path, name: str, files: dict[str, str]) -> Path:
    place = folder / name
    place.mkdir()
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
    return place


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in another repository"])
def test_a_broken_repository_is_said_and_its_files_are_read(
    scanner: Scanner, repo: Repo, tmp_path_factory: pytest.TempPathFactory, *, inside: bool
) -> None:
    folder = repo.path if inside else tmp_path_factory.mktemp("junk")
    for name, files in BROKEN.items():
        place = made(folder, name, files)
        (place / "deploy.env").write_text(f"T={github_token(1)}\n")
        scan = scanner.scan_path(place)
        results = list(scan)
        (gap,) = [each for each in results if isinstance(each, Gap) and each.incomplete]
        assert "no readable git repository" in gap.why, name
        assert not scan.summary.complete
        assert [each.finding.path for each in results if isinstance(each, Match)] == ["deploy.env"]
        assert all(map(_quiet, scanner.scan_path(place, history=False))), name


def _quiet(result: Match | Gap) -> bool:
    return isinstance(result, Match) or not result.incomplete


@pytest.mark.parametrize("name", WHOLE)
def test_a_folder_that_only_has_such_names_is_a_folder(
    scanner: Scanner, tmp_path: Path, name: str
) -> None:
    scan = scanner.scan_path(made(tmp_path, name, WHOLE[name]))
    assert all(map(_quiet, scan))


def test_a_folder_of_a_repositorys_own_is_no_broken_one(scanner: Scanner, repo: Repo) -> None:
    repo.commit("a.txt", "a\n")
    assert (repo.path / ".git/logs/HEAD").exists()
    assert all(map(_quiet, scanner.scan_path(repo.path / ".git" / "logs")))
