"""What is watched is kept alike on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from stanch.responder.domain.watched import Delivery, Judged, Source, Suspicion, source_id
from stanch.responder.store.sql import SqlStore
from tests.contracts.sample import NOW

HOUR = timedelta(hours=1)
APP = "https://git.example/acme/app.git"


def source(**changes: object) -> Source:
    fresh = Source.fresh("acme", "git", APP, NOW)
    return replace(fresh, **changes)  # type: ignore[arg-type]  # fields by name


def suspicion(number: int = 0, **changes: object) -> Suspicion:
    made = Suspicion(
        id=number,
        source=source().id,
        rule="anomaly-stream",
        place="2026-05-04",
        reason="it changed",
        fingerprint="f",
        found_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # as above


def test_a_source_comes_back_as_it_was_saved(sql_store: SqlStore) -> None:
    saved = source(
        cursor={"tips": ["a" * 40], "deep": {"n": 1}},
        wanted=3,
        noticed_at=NOW,
        looked_at=NOW - HOUR,
        tries=2,
        error="it failed \x00 \udcff",
        found={"2026-05-04": 2},
    )
    with sql_store.transaction() as tx:
        tx.sources.save(source())
        tx.sources.save(saved)
    with sql_store.snapshot() as tx:
        (found,) = tx.sources.list()
        assert found == tx.sources.get(saved.id)
        assert replace(found, error=saved.error) == saved
        assert tx.sources.get(source_id("acme", "other")) is None


def test_of_what_there_is_news_is_due_first_and_then_who_waits_longest(sql_store: SqlStore) -> None:
    with sql_store.transaction() as tx:
        for name, due in (("late", NOW - HOUR), ("now", NOW), ("soon", NOW + HOUR), ("no", None)):
            tx.sources.save(replace(Source.fresh("w", "git", name, NOW), due_at=due))
        tx.sources.save(Source.fresh("w", "git", "news", NOW).noticed(NOW))
    with sql_store.snapshot() as tx:
        expected = [source_id("w", name) for name in ("news", "late", "now")]
        assert list(tx.sources.due(NOW)) == expected


def test_a_delivery_is_received_once_until_it_is_forgotten(sql_store: SqlStore) -> None:
    one = Delivery(watch="acme", id="d-1", event="push", received_at=NOW)
    with sql_store.transaction() as tx:
        assert tx.sources.receive(one)
        assert not tx.sources.receive(replace(one, received_at=NOW + HOUR))
        assert tx.sources.receive(replace(one, watch="other"))
        tx.sources.forget(NOW)
        assert not tx.sources.receive(one)
        tx.sources.forget(NOW + HOUR)
        assert tx.sources.receive(one)


def test_a_suspicion_is_asked_once_and_goes_with_its_source(sql_store: SqlStore) -> None:
    with sql_store.transaction() as tx:
        tx.sources.save(source())
        assert tx.sources.suspect(suspicion())
        assert not tx.sources.suspect(suspicion())
        assert tx.sources.suspect(suspicion(place="2026-05-05"))
        tx.sources.judge(1, Judged.DISMISSED)
        assert not tx.sources.suspect(suspicion()), "what was judged is not asked again"
        assert [each.id for each in tx.sources.suspicions()] == [2]
        assert tx.sources.suspicion(1) == suspicion(1, state=Judged.DISMISSED)
        assert tx.sources.suspicion(9) is None
        tx.sources.remove(source().id)
        assert tx.sources.suspicions() == ()
