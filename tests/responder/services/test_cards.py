"""What a tired person sees at each moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.card import Mark, Next, Tone
from stanch.responder.domain.error import RunbookError, StepFailed, UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonValue
from stanch.responder.domain.run import RunState
from stanch.responder.domain.runbook import Phase, Silence
from stanch.responder.domain.step import NotYet, Refuted, Verified
from stanch.responder.services.cards import SILENCE
from stanch.responder.services.fact import age
from stanch.responder.services.words import Words
from tests.responder.conftest import ALICE, PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Another:
    """What a step of a later version takes."""

    needed: str


SECOND = timedelta(seconds=1)


def story(room: Any, silence: Silence = Silence.HOLD) -> Any:
    return room.begin(
        room.line("a"),
        room.line("seen", "lamp.look", after=("a",)),
        room.line("b", "lamp.smash", after=("seen",), approval="second", phase=Phase.REVOKE),
        room.line("dead", "lamp.look", after=("b",), phase=Phase.AUDIT),
        silence=silence,
        contained_by="seen",
        proven_dead_by="dead",
    )


def test_a_card_follows_the_incident_from_live_to_proven_dead(room: Any) -> None:
    run = story(room)
    card = room.card(run)
    assert (card.headline, card.tone) == ("UNTRIED · acme token · LK-1", Tone.ALARM)
    assert card.phases == (
        (Phase.CONTAIN, Mark.AHEAD), (Phase.REVOKE, Mark.AHEAD), (Phase.AUDIT, Mark.AHEAD),
    )  # fmt: skip

    room.lamps.then("look", "seen", NotYet(why="settling", after=SECOND))
    room.advance(run)
    card = room.card(run)
    assert card.headline.startswith("CONTAINING")
    assert card.phases[0] == (Phase.CONTAIN, Mark.NOW)
    assert card.summary.endswith("no fresh look has shown a refusal yet. Now: look at.")

    room.settle(run)
    card = room.card(run)
    assert (card.headline[:9], card.tone) == ("CONTAINED", Tone.WAITING)
    assert card.phases[:2] == ((Phase.CONTAIN, Mark.DONE), (Phase.REVOKE, Mark.NOW))
    assert card.ask is not None
    assert "Waits for a decision by bob, dave or dora." in card.summary

    room.decide(run)
    room.settle(run)
    card = room.card(run)
    assert (card.headline[:11], card.tone, card.ask) == ("PROVEN DEAD", Tone.SAFE, None)
    assert {mark for _, mark in card.phases} == {Mark.DONE}
    assert {"Asked", "Verified", "Dead"} <= {name for name, _ in card.facts}


def test_a_question_names_who_may_decide_and_that_a_name_is_only_claimed(room: Any) -> None:
    run = story(room)
    room.settle(run)
    ask = room.card(run).ask
    assert [decider.name for decider in ask.deciders] == ["bob", "dave", "dora"]
    assert ask.claimed
    tied = {name: replace(person, account=name) for name, person in PEOPLE.items()}
    cards = replace(room.cards, approvals=replace(room.approvals, people=tied))
    assert not cards.card(room.run(run).incident).ask.claimed


def test_a_question_that_nobody_may_answer_says_so(room: Any) -> None:
    run = story(room)
    room.settle(run)
    few = {name: PEOPLE[name] for name in ("alice", "carol")}
    cards = replace(room.cards, approvals=replace(room.approvals, people=few))
    card = cards.card(room.run(run).incident)
    assert card.ask.deciders == ()
    assert "nobody yet: of ops only alice, who asked, is known" in card.summary


@pytest.mark.parametrize("silence", list(Silence))
def test_a_question_says_what_silence_means(room: Any, silence: Silence) -> None:
    run = story(room, silence)
    room.settle(run)
    ask = room.card(run).ask
    assert ask.silence == SILENCE[silence]
    assert ask.plan_hash == room.asked(run)[-1].plan_hash


def test_a_question_that_nobody_answered_in_time_gives_way_to_what_asks_it_again(room: Any) -> None:
    run = story(room)
    room.settle(run)
    room.clock.move(timedelta(hours=1))
    room.settle(run)
    assert room.run(run).state is RunState.WAITING_APPROVAL
    card = room.card(run)
    assert (card.ask, card.tone) == (None, Tone.WAITING)
    assert card.next == (Next("ask again", "stanch respond LK-1"),)
    assert "Nobody decided in time" in card.summary


def test_who_has_decided_is_not_asked_again_while_the_work_goes_on(room: Any) -> None:
    run = story(room)
    room.settle(run)
    room.decide(run)
    assert room.card(run).ask is None


def test_after_a_refusal_the_card_says_who_why_and_what_now(room: Any) -> None:
    run = story(room)
    room.settle(run)
    room.decide(run, granted=False)
    room.settle(run)
    card = room.card(run)
    assert card.tone is Tone.WAITING
    assert card.headline.startswith("CONTAINED")
    assert card.summary == (
        "The lamp seen is refused. “Smash” was refused by bob: “because it is so”. "
        "It stays as it is; nothing more is done."
    )
    assert card.next[0] == Next("ask again", "stanch respond LK-1")
    assert Mark.NOW not in dict(card.phases).values()


def test_after_an_undo_nothing_is_green_that_no_longer_holds(room: Any) -> None:
    found = Verified(evidence={"tags": {"Owner": "web"}}, outputs={"user": "ci"})
    room.lamps.then("look", "seen", found)
    run = story(room)
    room.settle(run)
    room.settle_undo(room.responses.undo(IncidentId(1), by=ALICE))
    card = room.card(run)
    assert (card.state, card.tone) == ("LIVE AGAIN", Tone.ALARM)
    assert card.summary == "Undone by alice; the acme token works for whoever has it."
    assert card.next == (Next("contain it again", "stanch respond LK-1"),)
    assert (card.phases, card.ask) == ((), None)
    assert {"Verified", "Asked", "Dead", "Seen"}.isdisjoint(dict(card.facts))
    assert dict(card.facts)["Owner"] == "web (tag owner)"  # whose it is stays true
    assert dict(card.facts)["Belongs to"] == "ci"


def test_half_a_containment_is_told_step_by_step_with_what_a_person_can_do(room: Any) -> None:
    room.lamps.then("act", "b", StepFailed("no permission", remedy="allow lamp:Light"))
    run = room.begin(
        room.line("a"),
        room.line("b", after=("a",)),
        room.line("seen", "lamp.look", after=("b",)),
        room.line("c", "lamp.smash", after=("seen",), approval="second", phase=Phase.REVOKE),
        contained_by="seen",
    )
    room.settle(run)
    card = room.card(run)
    facts = dict(card.facts)
    assert facts["Done"] == "Light"
    assert facts["Not done"] == "Smash"
    assert card.tone is Tone.FAILED
    assert card.next == (Next("once that is mended, go on", "stanch respond LK-1"),)
    assert any("lamp.light" in call and "lamp=b" in call for call in card.by_hand)
    assert not any("lamp=a" in call for call in card.by_hand)
    assert Mark.DONE not in dict(card.phases).values()


def test_a_strangers_credential_has_words_of_its_own(room: Any) -> None:
    verdict = Refuted(why="it is globex's", remedy="tell globex", stranger=True)
    room.lamps.then("look", "whose", verdict)
    run = room.begin(room.line("whose", "lamp.look"), room.line("a", after=("whose",)))
    room.settle(run)
    card = room.card(run)
    assert (card.state, card.tone) == ("NOT OURS", Tone.WAITING)
    assert "Nothing was changed" in card.summary
    assert card.next[0].command == "stanch close LK-1 --disposition not-ours"
    assert card.by_hand == ()


def test_a_credential_seen_again_shows_nothing_of_the_last_time(room: Any) -> None:
    match = room.match()
    room.take(match)
    room.write(
        room.line("seen", "lamp.look"),
        room.line("dead", "lamp.look", after=("seen",), phase=Phase.AUDIT),
        contained_by="seen",
        proven_dead_by="dead",
    )
    run = room.responses.respond(IncidentId(1), by=ALICE)
    room.settle(run)
    assert room.card(run).state == "PROVEN DEAD"
    room.take(match, root="another")
    card = room.card(run)
    assert (card.state, card.tone, card.phases) == ("SEEN AGAIN", Tone.ALARM, ())
    assert "Seen" not in dict(card.facts)
    assert dict(card.facts)["Found in"] == "another: deploy/env.sh:12  and 1 more place"
    again = room.responses.respond(IncidentId(1), by=ALICE)
    room.settle(again)
    card = room.card(again)
    assert card.state == "PROVEN DEAD"
    assert "Still dead, one more copy." in card.summary


def test_a_failure_stands_with_its_remedy(room: Any) -> None:
    room.lamps.then("act", "a", StepFailed("no permission", remedy="allow lamp:Light"))
    run = story(room)
    room.settle(run)
    card = room.card(run)
    assert card.tone is Tone.FAILED
    assert card.failure == "no permission → allow lamp:Light"
    assert "Light" in card.summary
    assert dict(card.phases)[Phase.CONTAIN] is Mark.FAILED


def test_an_incident_without_a_runbook_says_what_to_do_by_hand(room: Any) -> None:
    taken = room.take()
    card = room.cards.card(taken.incident)
    assert "by hand" in card.summary
    assert card.phases == ()
    assert card.by_hand == ("renew acme-token",)
    assert card.next == (Next("once it is revoked", "stanch close LK-1 --unproven"),)


def test_facts_name_the_first_place_and_count_the_others(room: Any) -> None:
    match = room.match()
    room.take(match)
    facts = dict(room.cards.card(1).facts)
    assert facts["Found in"] == "payments: deploy/env.sh:12"
    room.take(match, root="clone-1")
    assert dict(room.cards.card(1).facts)["Found in"].endswith("and 1 more place")
    room.take(match, root="clone-2")
    assert dict(room.cards.card(1).facts)["Found in"].endswith("and 2 more places")
    assert "acme…7Q2M" in facts["Credential"]


def test_facts_name_whose_it_is_and_what_it_did(room: Any) -> None:
    found: dict[str, JsonValue] = {
        "user": "ci", "account": "1", "count": 3, "denied": 2, "source_ips": {"192.0.2.1": 3},
    }  # fmt: skip
    room.lamps.then("look", "a", Verified(evidence={}, outputs=found))
    run = room.begin(room.line("a", "lamp.look"))
    room.settle(run)
    facts = dict(room.card(run).facts)
    assert facts["Belongs to"] == "ci in account 1"
    assert facts["Used"] == "3 recorded calls so far (2 denied), from 192.0.2.1"


def test_an_incident_that_is_not_there_is_an_error(room: Any) -> None:
    with pytest.raises(UsageError, match="LK-9"):
        room.cards.card(IncidentId(9))


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(days=9, hours=3), "9 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=59), "seconds"),
        (timedelta(seconds=-5), "seconds"),
    ],
)
def test_a_span_is_said_in_its_largest_unit(span: timedelta, said: str) -> None:
    assert age(span) == said


def test_credentials_have_names_that_people_use(room: Any) -> None:
    room.take(room.match(provider="aws", kind="access-key"))
    room.take(room.match(provider="acme", kind="signing-key"))
    with room.store.transaction() as tx:
        words = Words(names={"aws": {"access-key": "AWS access key"}})
        assert [words.credential(tx.incidents.get(n)) for n in (1, 2)] == [
            "AWS access key", "acme signing key",
        ]  # fmt: skip


def test_a_decision_that_is_wanted_another_day_is_wanted_by_a_date(room: Any) -> None:
    run = story(room)
    room.settle(run)
    card = room.card(run)
    assert card.wanted == "a decision of bob, dave or dora by 09:10 UTC"
    late = replace(card.ask, expires_at=card.ask.expires_at + timedelta(days=7))
    assert replace(card, ask=late).wanted.endswith("by 2026-03-09 09:10 UTC")


def test_what_no_provider_names_is_not_named_twice(room: Any) -> None:
    found = room.take(room.match(provider="generic", kind="generic"))
    assert room.cards.card(found.incident).headline == "UNTRIED · generic secret · LK-1"


def test_a_run_of_another_version_is_shown_and_its_plan_says_why_it_cannot_be(room: Any) -> None:
    room.lamps.then("act", "a", StepFailed("no permission", remedy="allow lamp:Light"))
    run = room.begin(room.line("a"))
    room.settle(run)
    planner = replace(room.planner, steps={**room.planner.steps})
    spec = planner.steps["lamp.light"].spec
    planner.steps["lamp.light"].spec = replace(spec, params=Another)
    try:
        with pytest.raises(RunbookError, match="does not take what this run gives it"):
            room.responses.plan(IncidentId(1))
        assert room.card(run).failure == "no permission → allow lamp:Light"
    finally:
        planner.steps["lamp.light"].spec = spec
