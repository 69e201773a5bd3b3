"""Several keys at once: nobody's containment waits for somebody else's proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stanch.responder.domain.incident import IncidentState
from stanch.responder.lab.repository import build, leaky_history

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
USERS = ("ci-one", "ci-two", "ci-three")
SLOW = timedelta(seconds=3)  # until a disabled key is refused


def test_the_third_key_is_contained_before_the_first_is_verified(desk: Any) -> None:
    lab = desk.world.lab
    iam = lab.client("iam")
    for user in USERS:
        iam.create_user(UserName=user)
        made = iam.create_access_key(UserName=user)["AccessKey"]
        history = leaky_history(made["AccessKeyId"], made["SecretAccessKey"])
        build(desk.folder / user, history, now=datetime.now(UTC))
    lab.set_propagation(SLOW)
    try:
        # None of them has a secret that a consumer reads: a person is asked after that.
        desk.stanch("respond", *USERS, "--as", "alice")
    finally:
        lab.set_propagation(timedelta(0))

    for user in USERS:
        (key,) = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        assert key["Status"] == "Inactive"
    with desk.house() as house, house.store.transaction() as tx:
        incidents = sorted(tx.incidents.list(), key=lambda found: found.id)
    assert len(incidents) == len(USERS)
    assert all(found.state is IncidentState.CONTAINED for found in incidents)
    assert max(i.containment_requested_at for i in incidents) < min(
        i.containment_verified_at for i in incidents
    )
