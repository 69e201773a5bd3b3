"""Joining the rooms: what was opened is closed, also when a later part cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from stanch.responder.bootstrap import open_house
from stanch.responder.config import Settings, load
from stanch.responder.domain.error import StanchError


def settings(home: Path, extra: str = "") -> Settings:
    (home / "stanch.toml").write_text(extra)
    return load(environment={"STANCH_HOME": str(home)})


def held(home: Path) -> list[str]:
    """The files below ``home`` that this process has open."""
    handles = Path("/proc/self/fd")
    targets = [str(handle.readlink()) for handle in handles.iterdir() if handle.is_symlink()]
    return [target for target in targets if target.startswith(str(home))]


def test_a_part_that_cannot_be_used_leaves_no_store_open(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "broken.yaml").write_text("id: [\n")
    broken = settings(tmp_path, f'[runbooks]\nfolder = "{tmp_path / "books"}"\n')
    with pytest.raises(StanchError, match=r"broken\.yaml"):
        open_house(broken)
    assert (tmp_path / "stanch.db").exists(), "the store was opened before"
    assert held(tmp_path) == []


def test_leaving_the_house_closes_it(tmp_path: Path) -> None:
    with open_house(settings(tmp_path)) as house:
        house.anchor()
        assert held(tmp_path) != []
    assert held(tmp_path) == []
