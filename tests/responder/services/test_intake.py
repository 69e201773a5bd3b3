"""Findings become incidents: one secret, many exposures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from stanch.responder.domain.incident import IncidentState, page
from stanch.responder.domain.ports import Errand
from stanch.responder.postmortem.record import read_copy
from stanch.responder.services.intake import News
from stanch.responder.slack.blocks import card_message
from stanch.responder.slack.button import ButtonKey
from stanch.responder.web.page import card_page
from stanch.scanner.model.finding import Match
from stanch.scanner.model.provenance import InCommit, InImage, InLog, InWorktree, Provenance
from stanch.scanner.model.secret import SecretValue


def moved(match: Match, path: str) -> Match:
    return replace(match, finding=replace(match.finding, provenance=InWorktree(path=path)))


def incident(room: Any, number: int) -> Any:
    with room.store.transaction() as tx:
        return tx.incidents.get(number)


def dead(room: Any, number: int) -> None:
    room.attacked = True
    with room.store.transaction() as tx:
        tx.incidents.save(
            replace(
                tx.incidents.get(number),
                state=IncidentState.PROVEN_DEAD,
                proven_dead_at=room.clock.now,
            )
        )


def test_one_secret_in_many_places_is_one_incident(room: Any) -> None:
    match = room.match()
    assert room.take(match).news is News.OPENED
    taken = [room.take(moved(match, path)) for path in ("a.env", "b.env")]
    assert [t.news for t in taken] == [News.EXPOSED, News.EXPOSED]
    assert {t.incident for t in taken} == {1}
    with room.store.transaction() as tx:
        assert [e.path for e in tx.incidents.exposures(1)] == ["deploy/env.sh", "a.env", "b.env"]
        assert len(tx.incidents.list()) == 1


def placed(match: Match, provenance: Provenance) -> Match:
    return replace(match, finding=replace(match.finding, provenance=provenance))


def in_image(tag: str, layer: str = "a") -> InImage:
    return InImage(
        path="app/.env",
        image=f"image:registry.example/app:{tag}",
        manifest=f"sha256:{tag * 64}",
        platform="linux/amd64",
        layer=f"sha256:{layer * 64}",
        instruction="COPY . /app",
        later="deleted",
    )


def test_a_commit_a_layer_and_a_log_are_three_exposures_of_one_incident(room: Any) -> None:
    match = room.match()
    log = InLog(path="build.txt", provider="github", run="7", job="build", step="Install")
    commit = InCommit(path="a.env", commit="c0ffee", author="Ann", committed_at=room.clock.now)
    taken = [room.take(placed(match, place)) for place in (commit, in_image("1"), log)]
    assert {each.incident for each in taken} == {1}
    with room.store.transaction() as tx:
        first, layer, run = tx.incidents.exposures(1)
        assert len(tx.incidents.list()) == 1
        entries = list(tx.ledger.entries())
    assert (first.commit, first.origin, first.about) == ("c0ffee", "", "")
    assert (layer.source, layer.origin) == ("image", f"sha256:{'a' * 64}")
    assert "deleted by a later layer, and recoverable, COPY . /app" in layer.about
    assert (run.source, run.about) == ("log", "github log, run 7, build, Install")
    told = [entry.event.detail.get("about") for entry in entries]
    assert layer.about in told


def test_the_same_layer_in_another_image_is_no_regression(room: Any) -> None:
    match = room.match()
    number = room.take(placed(match, in_image("1"))).incident
    dead(room, number)
    assert room.take(placed(match, in_image("2"))).news is News.KNOWN
    assert room.take(placed(match, in_image("2", layer="b"))).news is News.REOPENED


def test_a_known_place_is_no_news_and_leaves_no_trace(room: Any) -> None:
    match = room.match()
    room.take(match)
    before = room.recorded()
    assert room.take(match).news is News.KNOWN
    assert room.recorded() == before


def test_two_secrets_at_one_place_are_two_incidents(room: Any) -> None:
    assert room.take().incident != room.take().incident


def test_news_is_recorded_and_told_without_the_secret(room: Any) -> None:
    match = room.match()
    room.take(match)
    with room.store.transaction() as tx:
        entry = next(iter(tx.ledger.entries()))
        assert [m.errand for m in tx.outbox.waiting(tx.now())] == [Errand.NOTIFY]
    assert entry.event.action == "incident.opened"
    assert entry.event.actor == "cli:alice"
    assert match.parts["value"].reveal().hex() not in repr(entry)


def test_the_value_comes_back_from_the_vault_and_the_opening_is_recorded(room: Any) -> None:
    match = room.match()
    found = incident(room, room.take(match).incident)
    assert (
        room.vault.open(found.sealed, "value", actor="system", purpose="test")
        == (match.parts["value"])
    )
    assert "secret.opened" in {action for action, _ in room.recorded()}


def test_a_pair_adds_the_half_that_a_lone_id_had_not(room: Any) -> None:
    pair = {"id": SecretValue(b"half one"), "secret": SecretValue(b"half two")}
    match = room.match()
    room.take(replace(match, parts={"id": pair["id"]}))
    assert room.vault.parts(incident(room, 1).sealed) == ("id",)
    assert room.take(moved(replace(match, parts=pair), "b.env")).news is News.EXPOSED
    assert set(room.vault.parts(incident(room, 1).sealed)) == {"id", "secret"}
    # A lone id later takes nothing away.
    room.take(moved(replace(match, parts={"id": pair["id"]}), "c.env"))
    assert set(room.vault.parts(incident(room, 1).sealed)) == {"id", "secret"}


def test_a_dead_secret_in_a_new_place_reopens_its_incident(room: Any) -> None:
    match = room.match()
    room.take(match)
    dead(room, 1)
    room.clock.move(room.clock.now - room.clock.now.replace(hour=1))
    assert room.take(moved(match, "new.env")).news is News.REOPENED
    found = incident(room, 1)
    assert found.state is IncidentState.OPEN
    assert found.regressions == 1
    assert found.proven_dead_at is None
    assert found.detected_at == room.clock.now
    assert "incident.reopened" in {action for action, _ in room.recorded()}


def test_old_history_scanned_again_reopens_nothing(room: Any) -> None:
    where = InCommit(
        path="deploy.sh",
        commit="c" * 40,
        author="dana@payments.example",
        committed_at=room.clock.now,
    )
    match = room.match(provenance=where)
    room.take(match)
    dead(room, 1)
    assert room.take(match).news is News.KNOWN
    # The same commit in another clone is a new place to know of, and no regression.
    assert room.take(match, root="clone").news is News.EXPOSED
    assert incident(room, 1).state is IncidentState.PROVEN_DEAD


def test_a_dead_secret_at_the_same_path_of_another_repository_reopens_its_incident(
    room: Any,
) -> None:
    match = room.match()
    room.take(match)
    dead(room, 1)
    assert room.take(match).news is News.KNOWN
    assert room.take(match, root="another-public-repository").news is News.REOPENED


def test_an_exposure_in_history_keeps_who_and_when(room: Any) -> None:
    where = InCommit(
        path="deploy.sh",
        commit="c" * 40,
        author="dana@payments.example",
        committed_at=room.clock.now,
    )
    room.take(room.match(provenance=where))
    with room.store.transaction() as tx:
        (exposure,) = tx.incidents.exposures(1)
    assert (exposure.commit, exposure.author) == (where.commit, where.author)
    assert exposure.exposed_at == room.clock.now
    assert exposure.root == "payments"


LINK = "https://github.com/acme/shop/blob/c0ffee/a.env#L12"


def test_the_page_of_a_place_reaches_card_and_postmortem(room: Any) -> None:
    there = InCommit(
        path="a.env", commit="c0ffee", author="Ann", committed_at=room.clock.now, link=LINK
    )
    number = room.take(placed(room.match(), there)).incident
    with room.store.transaction() as tx:
        assert [seen.url for seen in tx.incidents.exposures(number)] == [LINK]
        assert read_copy(tx.incidents.exposures(number)[0]).url == LINK
    card = room.cards.card(number)
    assert dict(card.facts)["See it"] == LINK
    assert f'<a href="{LINK}" rel="noreferrer noopener">{LINK}</a>' in card_page(card, Markup())
    blocks = card_message(card, ButtonKey(SecretValue(bytes(32))))
    assert f"<{LINK}>" in str(blocks)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://github.com/a",
        'https://github.com/a"onclick=x',
        "https://github.com/a|you>",
        "https://user@github.com/a",
        "https://github.com/\u202ea",
        "https://github.com/" + "a" * 600,
        None,
    ],
)
def test_what_is_no_plain_address_is_no_link(link: str | None) -> None:
    assert page(link) == ""
