"""Cards reach every surface at least once, and are not posted twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.card import Card, CardRef
from stanch.responder.domain.error import ConfigError, Retryable
from stanch.responder.domain.ports import Errand
from stanch.responder.services.delivery import HOLD, LONGEST_PAUSE, Delivery
from tests.responder.conftest import ALICE


class Wall:
    """A surface that remembers what it was shown; ``trouble`` is raised first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shown: list[tuple[Card, CardRef | None]] = []
        self.trouble: list[Exception] = []

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        if self.trouble:
            raise self.trouble.pop(0)
        self.shown.append((card, at))
        return at or CardRef(channel=self.name, ts=str(len(self.shown)))


@pytest.fixture
def walls() -> tuple[Wall, Wall]:
    return Wall("one"), Wall("two")


@pytest.fixture
def delivery(room: Any, walls: tuple[Wall, Wall]) -> Delivery:
    return Delivery(store=room.store, cards=room.cards, notifiers=walls)


def waiting(room: Any) -> int:
    with room.store.transaction() as tx:
        return len(tx.outbox.waiting(tx.now(), Errand.NOTIFY))


def ask(room: Any) -> None:
    with room.store.transaction() as tx:
        tx.outbox.put(Errand.NOTIFY, "1")


def test_a_card_is_posted_once_and_then_edited_in_place(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    match = room.match()
    delivery.deliver(room.take(match).incident)
    room.take(match, root="clone")
    delivery.deliver(room.take(match, root="clone").incident)
    for wall in walls:
        assert [at for _, at in wall.shown] == [None, CardRef(channel=wall.name, ts="1")]
    assert waiting(room) == 0


def test_what_did_not_change_is_not_shown_again(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    incident = room.take().incident
    for _ in range(3):
        ask(room)
        room.clock.move(timedelta(seconds=1))
        delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [1, 1]


def test_without_an_errand_nothing_is_shown(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    first, second = room.take().incident, room.take().incident
    delivery.deliver(first)
    delivery.deliver(first)
    assert {card.incident for card, _ in walls[0].shown} == {first}
    delivery.deliver(second)
    assert [card.incident for card, _ in walls[0].shown] == [first, second]


def test_a_busy_surface_is_tried_again_later_and_the_other_is_not_bothered(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    walls[0].trouble = [Retryable("slow down", after=timedelta(seconds=30))]
    incident = room.take().incident
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [0, 1]
    assert waiting(room) == 0  # not before its time
    room.clock.move(timedelta(seconds=30))
    assert waiting(room) == 1
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [1, 1]


def test_a_surface_that_does_not_answer_is_left_alone_by_all_cards_for_a_while(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    """Each try costs a wait; a hundred incidents must not wait a hundred times for it."""
    silent = Retryable("no answer", after=timedelta(seconds=5))
    walls[0].trouble = [silent] * 3
    numbers = [room.take().incident for _ in range(3)]
    for number in numbers:
        delivery.deliver(number)
    assert len(walls[0].trouble) == 2  # tried once
    assert {card.incident for card, _ in walls[1].shown} == set(numbers)
    walls[0].trouble.clear()
    room.clock.move(timedelta(seconds=5))
    for number in numbers:
        delivery.deliver(number)
    assert {card.incident for card, _ in walls[0].shown} == set(numbers)


def test_pauses_grow_but_not_for_ever(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    walls[0].trouble = [Retryable("no answer", after=timedelta(0)) for _ in range(12)]
    incident = room.take().incident
    pauses = []
    for _ in range(12):
        delivery.deliver(incident)
        began = room.clock.now
        while not waiting(room):
            room.clock.move(timedelta(seconds=1))
        pauses.append(room.clock.now - began)
    assert pauses == sorted(pauses)
    assert pauses[:3] == [timedelta(seconds=n) for n in (2, 4, 8)]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_surface_that_must_be_mended_does_not_stop_the_other(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    walls[0].trouble = [ConfigError("the channel is gone", remedy="name another")]
    incident = room.take().incident
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [0, 1]
    room.clock.move(LONGEST_PAUSE)
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [1, 1]


def test_news_that_comes_while_a_card_is_shown_is_shown_by_the_same_worker(room: Any) -> None:
    match = room.match()
    incident = room.take(match).incident

    class Interrupted(Wall):
        def publish(self, card: Card, at: CardRef | None) -> CardRef:
            if not self.shown:
                room.take(match, root="clone")
            return super().publish(card, at)

    wall = Interrupted("three")
    slow = Delivery(store=room.store, cards=room.cards, notifiers=(wall,))
    slow.deliver(incident)
    assert waiting(room) == 0
    assert len(wall.shown) == 2
    assert "1 more place" in dict(wall.shown[-1][0].facts)["Found in"]


def test_of_two_workers_one_posts_the_card_and_it_is_the_newest(room: Any) -> None:
    """The second comes while the first is posting: it leaves the news to the first."""
    match = room.match()
    incident = room.take(match).incident

    class Crowded(Wall):
        def publish(self, card: Card, at: CardRef | None) -> CardRef:
            if not self.shown:
                room.take(match, root="clone")
                Delivery(store=room.store, cards=room.cards, notifiers=(self,)).deliver(incident)
            return super().publish(card, at)

    wall = Crowded("slack")
    Delivery(store=room.store, cards=room.cards, notifiers=(wall,)).deliver(incident)
    assert [at is None for _, at in wall.shown] == [True, False]
    assert "1 more place" in dict(wall.shown[-1][0].facts)["Found in"]


def test_a_surface_that_fails_has_its_own_pause_and_starves_no_other(
    room: Any, delivery: Delivery, walls: tuple[Wall, Wall]
) -> None:
    match = room.match()
    walls[0].trouble = [ValueError("nobody foresaw this"), ValueError("nor this")]
    incident = room.take(match).incident
    delivery.deliver(incident)
    room.take(match, root="clone")  # news at once, also while the first surface waits
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [0, 2]
    assert len(walls[0].trouble) == 1
    room.clock.move(timedelta(seconds=10))
    delivery.deliver(incident)
    room.clock.move(timedelta(seconds=10))
    delivery.deliver(incident)
    assert [len(wall.shown) for wall in walls] == [1, 2]


class Killing(Wall):
    """Whoever shows a card here is killed right afterwards, once."""

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        ref = super().publish(card, at)
        if self.deadly:
            self.deadly = False
            raise SystemExit
        return ref

    deadly = False


def test_a_card_that_became_again_what_it_was_before_a_kill_is_shown_again(room: Any) -> None:
    wall = Killing("one")
    delivery = Delivery(store=room.store, cards=room.cards, notifiers=(wall,))
    incident = room.run(room.begin(room.line("a"))).incident
    delivery.deliver(incident)
    live = wall.shown[-1][0].summary
    room.responses.pause(incident, by=ALICE)
    wall.deadly = True
    with pytest.raises(SystemExit):
        delivery.deliver(incident)
    assert wall.shown[-1][0].summary != live
    room.responses.resume(incident, by=ALICE)
    room.clock.move(HOLD)
    delivery.deliver(incident)
    assert wall.shown[-1][0].summary == live
