"""Joining the rooms: what was opened is closed, also when a later part cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from stanch.responder.bootstrap import open_house
from stanch.responder.config import Settings, load
from stanch.responder.domain.error import LedgerError, StanchError
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.timeline import Event


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


def test_nobody_works_on_a_record_that_was_cut_behind_its_anchor(tmp_path: Path) -> None:
    """The newest entries gone: what they forbade would be done before the next anchor fails."""
    with open_house(settings(tmp_path)) as house:
        for _ in range(3):
            with house.store.transaction() as tx:
                tx.ledger.append(
                    Event(at=tx.now(), actor="cli:ann", action="x", incident=None, detail={})
                )
        house.anchor()
        assert house.advance(RunId("none")) is None
        with house.store.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM ledger WHERE seq > 2")
        with pytest.raises(LedgerError, match="does not continue its anchor"):
            house.advance(RunId("none"))
