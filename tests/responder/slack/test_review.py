"""Review → modal → decision, over real HTTP and WebSocket."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.card import Card
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.lab.slack.world import View
from stanch.responder.slack.app import SlackApp
from stanch.responder.slack.blocks import REVIEW
from stanch.responder.slack.frame import BROKEN, FOREIGN, FORGED, LATE
from stanch.responder.slack.link import run_socket_mode
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.review import CHANGED, STALE
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import SlackError
from stanch.scanner.model.secret import SecretValue

REASON = "seen in CloudTrail, owner agrees"
Join = Callable[[str], str]
Message = dict[str, Any]


@pytest.fixture
def posted(slack: SlackLab, settings: SlackSettings, card: Card) -> Message:
    SlackNotifier.connect(settings).publish(card, None)
    return slack.messages()[0]


def open_modal(slack: SlackLab, user: str, message: Message) -> View:
    assert slack.click(user, message, REVIEW).acked
    view = slack.wait(lambda: slack.views(user))[0]
    assert isinstance(view, View)
    return view


def approve(**more: str) -> dict[str, str]:
    return {"decision": "approve", "reason": REASON, "confirm": "lk-7"} | more


@pytest.mark.usefixtures("door")
def test_a_second_person_reviews_and_approves(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    assert "iam:DeleteAccessKey UserName=deploy AccessKeyId=AKIA…7Q2M" in str(view.content)
    assert slack.submit(bob, view, approve()).acked
    assert not slack.views(bob)
    (decided,) = desk.decided
    assert (decided.decision, decided.decided_by, decided.reason) == (
        Decision.GRANTED,
        "bob",
        REASON,
    )


@pytest.mark.usefixtures("door")
def test_refusing_needs_a_reason_but_no_typed_key(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    slack.submit(bob, view, {"decision": "refuse", "reason": REASON})
    assert desk.decided[0].decision is Decision.DENIED


@pytest.mark.usefixtures("door")
def test_the_requester_is_told_in_the_modal_that_somebody_else_must_decide(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    alice = join("alice")
    view = open_modal(slack, alice, posted)
    assert "You cannot decide this" in str(view.content)
    assert "alice asked for this" in str(view.content)
    assert "another member of 'security' must decide" in str(view.content)
    assert "iam:DeleteAccessKey UserName=deploy" in str(view.content)  # all may look
    assert "submit" not in view.content
    assert not any(block["type"] == "input" for block in view.content["blocks"])
    assert not desk.decided


@pytest.mark.usefixtures("door")
def test_what_is_submitted_all_the_same_by_the_requester_decides_nothing(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    view = open_modal(slack, join("bob"), posted)
    answer = slack.submit(join("alice"), view, approve()).payload
    assert "alice asked for this" in answer["errors"]["decision"]
    assert not desk.decided


@pytest.mark.usefixtures("door")
def test_a_person_nobody_knows_decides_nothing(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    stranger = slack.add_user("mallory")
    assert "You cannot decide this" in str(open_modal(slack, stranger, posted).content)
    view = open_modal(slack, join("bob"), posted)
    assert slack.submit(stranger, view, approve()).payload["response_action"] == "errors"
    assert not desk.decided


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    ("values", "block"),
    [
        ({"reason": REASON, "confirm": "LK-7"}, "decision"),
        (approve(reason="  short  "), "reason"),
        (approve(confirm="LK-8"), "confirm"),
        (approve(reason="the value was " + "x1" * 12), "reason"),
    ],
)
def test_an_incomplete_answer_is_explained_where_it_is_wrong(
    slack: SlackLab, desk: Any, join: Join, posted: Message, values: dict[str, str], block: str
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    answer = slack.submit(bob, view, values).payload
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [block]
    assert not desk.decided


@pytest.mark.usefixtures("door")
def test_an_old_button_refreshes_the_card_and_opens_nothing(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    desk.move_on()
    assert slack.click(bob, posted, REVIEW).acked
    whisper = slack.wait(lambda: slack.ephemerals(bob))[0]
    assert whisper.text == STALE
    assert not slack.views(bob)
    (message,) = slack.messages()
    assert message["blocks"][0]["text"]["text"] == "PROVEN DEAD · LK-7"
    assert not any(block["type"] == "actions" for block in message["blocks"])


@pytest.mark.usefixtures("door")
def test_progress_elsewhere_does_not_make_an_open_decision_stale(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    desk.shown = replace(desk.shown, version=desk.shown.version + 5)
    open_modal(slack, join("bob"), posted)


@pytest.mark.usefixtures("door")
def test_a_plan_that_changed_while_the_modal_was_open_is_not_approved(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    desk.approval = replace(desk.approval, plan_hash="00" * 32)
    answer = slack.submit(bob, view, approve()).payload
    assert "another plan" in answer["errors"]["decision"]
    assert not desk.decided


@pytest.mark.usefixtures("door")
def test_the_first_decision_wins(slack: SlackLab, desk: Any, join: Join, posted: Message) -> None:
    bob, carol = join("bob"), join("carol")
    first, second = open_modal(slack, bob, posted), open_modal(slack, carol, posted)
    slack.submit(bob, first, approve())
    answer = slack.submit(carol, second, {"decision": "refuse", "reason": REASON}).payload
    assert "already decided" in answer["errors"]["decision"]
    assert [d.decided_by for d in desk.decided] == ["bob"]


@pytest.mark.usefixtures("door")
def test_a_forged_button_opens_nothing(slack: SlackLab, join: Join, posted: Message) -> None:
    bob = join("bob")
    button = {"type": "button", "action_id": REVIEW, "value": f"v1.7.x.3.{'0' * 32}"}
    assert slack.press(bob, posted, button).acked
    assert FORGED in slack.wait(lambda: slack.ephemerals(bob))[0].text
    assert not slack.views(bob)


@pytest.mark.usefixtures("door")
def test_a_slow_desk_shows_a_modal_at_once_and_fills_it_later(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    desk.gate.clear()
    view = open_modal(slack, bob, posted)
    assert "Fetching the plan" in str(view.content)
    desk.gate.set()
    slack.wait(lambda: "callback_id" in slack.views(bob)[0].content)


@pytest.mark.usefixtures("door")
def test_a_slow_decision_is_acknowledged_in_time_and_reported_afterwards(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    desk.gate.clear()
    delivery = slack.submit(bob, view, approve())
    assert delivery.acked  # the workspace gives up after three seconds, as Slack does
    assert not slack.views(bob)
    desk.gate.set()
    slack.wait(lambda: [w for w in slack.ephemerals(bob) if "is recorded" in w.text])
    assert len(desk.decided) == 1


@pytest.mark.usefixtures("door")
def test_a_fault_inside_is_told_without_its_details(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    desk.approval = None  # what the desk does next is a programming error
    answer = slack.submit(bob, view, approve()).payload
    assert answer["errors"] == {"decision": BROKEN}
    desk.people = None
    assert slack.click(bob, posted, REVIEW).acked
    assert slack.wait(lambda: slack.ephemerals(bob))[0].text == BROKEN


def test_a_wrong_app_token_is_an_error_with_a_remedy(settings: SlackSettings, desk: Any) -> None:
    app = SlackApp(settings, desk)
    with pytest.raises(SlackError) as caught, run_socket_mode(app, settings.bot_token):
        pass
    assert "xapp" in caught.value.remedy


def test_a_wrong_bot_token_is_an_error_before_anything_connects(
    settings: SlackSettings, desk: Any
) -> None:
    with pytest.raises(SlackError, match="invalid_auth"):
        SlackApp(replace(settings, bot_token=SecretValue(b"wrong")), desk)


@pytest.mark.usefixtures("door")
def test_whatever_happens_slack_hears_only_what_people_see(
    slack: SlackLab, join: Join, posted: Message
) -> None:
    bob, alice = join("bob"), join("alice")
    secret = secrets.token_urlsafe(24)
    slack.submit(alice, open_modal(slack, alice, posted), approve(reason=f"it was {secret}0Aa="))
    slack.submit(bob, open_modal(slack, bob, posted), approve(reason=f"it was x{secret}"))
    slack.command(bob, f"show {secret}")
    slack.command(bob, secret)
    raw = secret.encode()
    for form in (
        raw,
        base64.b64encode(raw).rstrip(b"="),
        quote(secret).encode(),
        raw.hex().encode(),
    ):
        assert not any(form in body for body in slack.bodies())


@pytest.mark.usefixtures("door")
def test_a_slow_refusal_is_reported_with_its_rule(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    alice = join("alice")
    view = open_modal(slack, join("bob"), posted)
    desk.gate.clear()
    slack.submit(alice, view, approve())
    slack.wait(lambda: [w for w in slack.ephemerals(alice) if w.text == LATE])
    desk.gate.set()
    told = slack.wait(lambda: [w for w in slack.ephemerals(alice) if "not recorded" in w.text])
    assert "alice asked for this" in told[0].text


@pytest.mark.usefixtures("door")
def test_an_old_modal_does_not_decide_a_new_plan(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    new = "00" * 32
    desk.shown = replace(desk.shown, ask=replace(desk.shown.ask, plan_hash=new))
    desk.approval = replace(desk.approval, plan_hash=new)
    answer = slack.submit(bob, view, approve()).payload
    assert answer["errors"] == {"decision": CHANGED}
    assert not desk.decided


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("forged", ["", "x", "{}", "[]", '[7, "a", "b"]', '["7", "a", "b", "c"]'])
def test_a_form_that_is_none_of_ours_is_answered_and_decides_nothing(
    slack: SlackLab, desk: Any, join: Join, posted: Message, forged: str
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    view.content["private_metadata"] = forged
    assert slack.submit(bob, view, approve()).payload["errors"] == {"decision": FOREIGN}
    assert not desk.decided


def test_slack_variables_in_the_environment_change_nothing(
    slack: SlackLab, join: Join, posted: Message, request: pytest.FixtureRequest
) -> None:
    patch = request.getfixturevalue("monkeypatch")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET"):
        patch.setenv(f"SLACK_{name}", "of something else")
    request.getfixturevalue("door")
    open_modal(slack, join("bob"), posted)


@pytest.mark.usefixtures("door")
def test_people_of_another_workspace_open_nothing(
    slack: SlackLab, join: Join, posted: Message
) -> None:
    bob = join("bob")
    slack.click(bob, posted, REVIEW, team="T00000EVIL")
    assert not slack.views(bob)
    assert not slack.calls("views.open")


@pytest.mark.usefixtures("door")
def test_an_unknown_button_is_acknowledged_and_explained(
    slack: SlackLab, join: Join, posted: Message
) -> None:
    bob = join("bob")
    assert slack.press(bob, posted, {"type": "button", "action_id": "leak.old.v0"}).acked
    assert "does not know" in slack.wait(lambda: slack.ephemerals(bob))[0].text


def test_the_door_survives_a_refresh_of_its_connection(
    slack: SlackLab, door: SlackApp, join: Join, posted: Message
) -> None:
    del door
    slack.refresh_sockets()
    assert len(slack.calls("apps.connections.open")) == 2
    assert slack.connections() == 1
    open_modal(slack, join("bob"), posted)


@pytest.mark.usefixtures("door")
def test_every_envelope_is_acknowledged_within_the_deadline(
    slack: SlackLab, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    slack.submit(bob, view, approve())
    slack.command(bob, "list")
    deliveries = slack.deliveries()
    assert len(deliveries) == 3
    assert all(delivery.acked for delivery in deliveries)
