"""The same story with its truth in PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.responder.domain.incident import IncidentState
from stanch.responder.lab.proof import acts
from tests.contracts.conftest import Server, postgres

__all__ = ["postgres"]  # the server that the store's contract runs on
pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(300)]


@pytest.fixture(name="database")
def _database(request: pytest.FixtureRequest) -> str:
    server: Server = request.getfixturevalue("postgres")
    return server.create("story")


def test_a_leaked_key_is_proven_dead_with_the_truth_in_postgresql(desk: Any, database: str) -> None:
    desk.configure(f'[store]\nurl = "{database}"\n')
    desk.stanch("respond", "payments", "--as", "alice")
    desk.stanch("approve", "LK-1", "--as", "bob", "--yes", "--reason", "The new key works.")
    done = acts(desk.world.lab, since=desk.since)
    assert {name for name, times in done.items() if times != 1} <= {"iam:PutRolePolicy"}
    assert "sound" in desk.stanch("audit", "verify")
    assert not (desk.folder / "home" / "stanch.db").exists()
    with desk.house() as house, house.store.transaction() as tx:
        assert tx.incidents.get(1).state is IncidentState.PROVEN_DEAD
