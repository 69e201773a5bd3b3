"""An owner becomes its repositories: real git over HTTP, lists as a host gives them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from stanch.responder.bootstrap.fleet import open_fleet_store
from stanch.responder.domain.error import Tampered
from stanch.responder.domain.fleet import Fleet, UnitRun, UnitState
from stanch.responder.fleet.scan import FleetScan
from stanch.scanner.api import Gap, Match
from tests.fleet.conftest import Silent, Yard
from tests.scanner.sources.remote.conftest import GitHost, git_host

__all__ = ["git_host"]  # a fixture
Start = Callable[[], GitHost]


def listed(host: GitHost, name: str, url: str | None = None) -> dict[str, object]:
    return {"full_name": f"acme/{name}", "clone_url": url or host.url(name), "has_wiki": False}


def test_all_repositories_of_an_owner_are_read_and_named_and_the_rest_is_said(
    yard: Yard, git_host: Start, token: Callable[[int], str]
) -> None:
    host = git_host()
    for number, name in enumerate(("shop", "tool", "old"), 1):
        host.repository(name)
        host.push(name, {"a.env": f"TOKEN={token(number)}\n"})
    host.pages["/api/v1/orgs/acme/repos?limit=50"] = [
        listed(host, "shop"),
        listed(host, "gone"),
        listed(host, "evil", str(yard.home / "ledger.key")),  # a path of whoever reads it
        listed(host, "old"),
        listed(host, "tool"),
    ]
    yard.write(
        f'targets = ["gitea:{host.name}/acme"]\nexclude = ["acme/old"]\n'
        "[limits.default]\nslots = 1\n"
    )
    fleet = yard.plan().fleet
    results = yard.run(workers=2)
    found = [each.finding.path for each in results if isinstance(each, Match)]
    assert found == ["acme/shop/a.env", "acme/tool/a.env"]
    gaps = [each for each in results if isinstance(each, Gap)]
    assert [(gap.path, gap.incomplete) for gap in gaps] == [
        ("acme/gone", True),
        ("acme/evil", True),
    ]
    assert gaps[0].why.startswith("not read: there is no repository")
    units = yard.units(fleet)
    assert {unit.name: unit.state for unit in units} == {
        f"gitea:{host.name}/acme": UnitState.DONE,
        "acme/shop": UnitState.DONE,
        "acme/gone": UnitState.ASIDE,
        "acme/evil": UnitState.ASIDE,
        "acme/old": UnitState.OMITTED,
        "acme/tool": UnitState.DONE,
    }
    assert one_at_a_time(units), "two at a time at a host with one slot"
    assert_missed(yard, fleet, "acme/tool")


def test_a_fleet_whose_owner_leaves_nothing_to_scan_is_not_clean(
    yard: Yard, git_host: Start
) -> None:
    host = git_host()
    host.pages["/api/v1/orgs/acme/repos?limit=50"] = [listed(host, "old")]
    yard.write(f'targets = ["gitea:{host.name}/acme"]\nexclude = ["acme/*"]\n')
    (gap,) = yard.run()
    assert isinstance(gap, Gap)
    assert gap.incomplete
    assert "nothing was left to scan" in gap.why


def assert_missed(yard: Yard, fleet: Fleet, name: str) -> None:
    """Who deletes the row of a repository does not hide what is in it."""
    with open_fleet_store(yard.settings) as store:
        with store.engine.begin() as connection:
            connection.execute(text("DELETE FROM unit_results WHERE item = 5"))
            connection.execute(text("DELETE FROM units WHERE name = :name"), {"name": name})
        with pytest.raises(Tampered, match="units of the target 1 are missing"):
            list(FleetScan(store, fleet, tend=lambda: None, by=Silent()).scan)


def one_at_a_time(units: tuple[UnitRun, ...]) -> bool:
    times: Any = sorted((u.began_at, u.finished_at) for u in units if u.host and u.began_at)
    return all(ended <= began for (_, ended), (began, _) in pairwise(times))


def test_a_host_that_does_not_answer_is_tried_again_and_then_set_aside(
    yard: Yard, git_host: Start
) -> None:
    host = git_host()
    host.pages["/api/v1/orgs/acme/repos?limit=50"] = 403
    yard.write(f'targets = ["gitea:{host.name}/acme"]\ntries = 1\n')
    (gap,) = yard.run()
    assert isinstance(gap, Gap)
    assert gap.path == f"gitea:{host.name}/acme"
    assert gap.incomplete
