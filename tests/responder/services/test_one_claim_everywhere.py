"""One claim, read by every surface: the words are the claim's, and nothing else is claimed."""

from __future__ import annotations

import html as entities
import io
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from stanch.responder.domain.claim import COVERED, Claim, Standing, Uncovered, Validity
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import Verified
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.render import html, markdown, story
from stanch.responder.services.listing import Listing
from stanch.responder.slack.blocks import card_message
from stanch.responder.slack.button import ButtonKey
from stanch.responder.terminal.panel import panel
from stanch.responder.web.page import card_page, list_page
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import ALICE, START

ALIVE = Uncovered(
    what="session deploy of the role release",
    standing=Standing.ALIVE,
    remedy="wait until it ends",
    until=START + timedelta(hours=1),
)
UNKNOWN = Uncovered(
    what="what was born from it", standing=Standing.UNKNOWN, remedy="read the trail"
)
CLAIMS = {
    "dead": (Validity.DEAD, ()),
    "something alive": (Validity.DEAD, (ALIVE,)),
    "something unknown": (Validity.DEAD, (UNKNOWN,)),
    "live": (Validity.LIVE, ()),
    "no answer": (Validity.UNREACHABLE, ()),
    "no check": (Validity.NO_CHECK, ()),
}


def claim(name: str) -> Claim:
    validity, uncovered = CLAIMS[name]
    return Claim(
        what="the token acme 7Q2M",
        validity=validity,
        how="tried three times",
        seen_at=START,
        covers=("tokens minted from it",),
        uncovered=uncovered,
    )


@pytest.fixture
def surfaces(room: Any) -> Callable[[Claim], Mapping[str, str]]:
    """What each surface says when this is what was proven, as plain words."""

    def prove(proven: Claim) -> Mapping[str, str]:
        room.lamps.then("look", "seen", Verified(evidence={}, outputs={}, claim=proven))
        room.lamps.then("look", "dead", Verified(evidence={}, outputs={}, claim=proven))
        run = room.begin(
            room.line("a"),
            room.line("seen", "lamp.look", after=("a",)),
            room.line("dead", "lamp.look", after=("seen",), phase=Phase.AUDIT),
            contained_by="seen",
            proven_dead_by="dead",
        )
        room.settle(run)
        return {where: plain(page) for where, page in shown(room).items()}

    return prove


def shown(room: Any) -> Mapping[str, str]:
    """What each surface shows now, with its markup."""
    card = room.cards.card(IncidentId(1))
    report = build(case(room), now=room.clock.now)
    screen = io.StringIO()
    Console(file=screen, width=80, no_color=True).print(panel(card))
    message = card_message(card, ButtonKey(SecretValue(b"k" * 32)))
    rows, _ = Listing(store=room.store, cards=room.cards).rows(most=9, closed=True)
    return {
        "card": f"{card.headline} {card.summary} {card.facts}",
        "terminal": re.sub(r"[│╭╰─╮╯]", " ", screen.getvalue()),
        "slack": f"{message.text} {message.blocks}",
        "slack text": message.text,
        "web": card_page(card, story(report)),
        "web list": list_page(rows, 0),
        "postmortem": html(report),
        "postmortem in Markdown": markdown(report).replace("\\", ""),
    }


def case(room: Any) -> CaseFile:
    with room.store.transaction() as tx:
        incident = tx.incidents.get(IncidentId(1))
        runs = tx.runs.of(incident.id)
        return CaseFile(
            incident=incident,
            exposures=tx.incidents.exposures(incident.id),
            runs=tuple((run, tx.runs.steps(run.id)) for run in runs),
            approvals=(),
            entries=tuple(tx.ledger.entries(incident.id)),
            ledger_verdict="sound",
            ledger_head=None,
        )


# What a page or a card shows as good: a tick, or a class that is drawn green.
GREEN = re.compile(
    r"✓|class=\"(?:pill|card|tile|row|state)[^\"]* safe\"|class=\"(?:flag safe|dead)\""
)


def plain(page: str) -> str:
    return entities.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", page)))


def words(text: str) -> str:
    return " ".join(re.sub(r"[`*\"'{}\[\](),]", " ", text).lower().split())


@pytest.mark.parametrize("name", CLAIMS)
def test_every_surface_says_the_same(
    name: str, room: Any, surfaces: Callable[[Claim], Mapping[str, str]]
) -> None:
    proven = claim(name)
    told = {where: words(text) for where, text in surfaces(proven).items()}
    status = room.cards.view(IncidentId(1)).status
    state = words(status.words())
    for where, text in told.items():
        assert state in text, where
        claimed = re.sub("(not|to) proven dead", "", text)  # "Bring the credential to proven dead"
        assert ("proven dead" in claimed) is (proven.proven and "proven dead" in text), where
    for gap in proven.uncovered:
        for where, text in told.items():
            if where != "web list":
                assert words(str(gap)) in text, where
    assert (words(COVERED) in told["postmortem"]) is proven.proven
    assert status.fine is proven.proven


def test_the_last_word_counts_only_while_it_holds(
    room: Any, surfaces: Callable[[Claim], Mapping[str, str]]
) -> None:
    surfaces(claim("dead"))
    assert any(GREEN.search(page) for page in shown(room).values())
    room.settle_undo(room.responses.undo(IncidentId(1), by=ALICE))
    status = room.cards.view(IncidentId(1)).status
    assert status.claim is None
    assert build(case(room), now=room.clock.now).status == status.words().capitalize()
    for where, page in shown(room).items():
        assert "live again" in words(plain(page)), where
        assert not GREEN.search(page), where
        if where in {"card", "terminal", "slack", "slack text"}:
            assert "undone by alice" in words(page), where
        if "postmortem" not in where and where != "web":  # these tell the history as well
            assert "proven dead" not in words(plain(page)), where
