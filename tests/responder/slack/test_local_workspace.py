"""The local Slack refuses what Slack refuses; otherwise the other tests would prove little."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from stanch.responder.lab.slack import limit
from stanch.responder.lab.slack.workspace import SlackLab


@pytest.fixture
def api(slack: SlackLab) -> Any:
    token = slack.bot_token.reveal().decode()

    def call(method: str, **arguments: Any) -> dict[str, Any]:
        answer = httpx.post(
            slack.base_url + method, json=arguments, headers={"Authorization": f"Bearer {token}"}
        )
        found: dict[str, Any] = answer.json()
        return found

    return call


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("Go")} | more


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "section", "text": mrkdwn("x" * 3001)}, "/blocks/0/text/text"),
        ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text"),
        ({"type": "section"}, "/blocks/0"),
        ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "/blocks/0/fields/0/text"),
        ({"type": "section", "fields": [mrkdwn("x")] * 11}, "/blocks/0/fields"),
        ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
        ({"type": "header", "text": mrkdwn("x")}, "/blocks/0/text"),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/blocks/0/elements"),
        (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
        (actions(button(text=mrkdwn("x"))), "/blocks/0/elements/0/text"),
        (actions(button(value="x" * 2001)), "/blocks/0/elements/0/value"),
        (actions(button(style="loud")), "/blocks/0/elements/0/style"),
        (actions(button(colour="red")), "/blocks/0/elements/0"),
        (actions(button(), button()), "/blocks/0"),
        (actions(*[button(action_id=str(n)) for n in range(26)]), "/blocks/0/elements"),
        ({"type": "marquee"}, "/blocks/0"),
        ({"type": "input", "label": plain("x"), "element": {}}, "/blocks/0"),
        ("text", "/blocks/0"),
    ],
)
def test_a_block_over_a_limit_is_refused_with_its_place(block: Any, pointer: str) -> None:
    problems = limit.block_problems([block], surface="message")
    assert any(problem.endswith(f"[json-pointer:{pointer}]") for problem in problems)


def test_a_message_holds_at_most_fifty_blocks_with_distinct_ids() -> None:
    divider = {"type": "divider"}
    assert not limit.block_problems([divider] * 50, surface="message")
    assert limit.block_problems([divider] * 51, surface="message")
    assert limit.block_problems([divider | {"block_id": "x"}] * 2, surface="message")


def test_a_modal_with_inputs_needs_a_submit_button() -> None:
    field = {"type": "input", "label": plain("x"), "element": {"type": "plain_text_input"}}
    view = {"type": "modal", "title": plain("x"), "blocks": [field]}
    assert limit.view_problems(view)
    assert not limit.view_problems(view | {"submit": plain("Go")})
    assert limit.view_problems(view | {"submit": plain("x" * 25)})
    assert limit.view_problems(view | {"submit": plain("Go"), "surprise": 1})


def test_invalid_blocks_come_back_as_slack_words_it(slack: SlackLab, api: Any) -> None:
    block = {"type": "section", "text": mrkdwn("x" * 3001)}
    answer = api("chat.postMessage", channel=slack.channel, text="x", blocks=[block])
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_a_message_with_too_much_text_in_all_is_refused(slack: SlackLab, api: Any) -> None:
    blocks = [{"type": "section", "text": mrkdwn("x" * 2600)}] * 4
    answer = api("chat.postMessage", channel=slack.channel, text="x", blocks=blocks)
    assert answer["error"] == "msg_blocks_too_long"


def test_an_edit_takes_less_text_than_a_post(slack: SlackLab, api: Any) -> None:
    posted = api("chat.postMessage", channel=slack.channel, text="x" * 5000)
    edited = api("chat.update", channel=slack.channel, ts=posted["ts"], text="x" * 4001)
    assert edited["error"] == "msg_too_long"


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C404", "text": "x"}, "channel_not_found"),
        ("chat.update", {"ts": "1.1", "text": "x"}, "message_not_found"),
        ("chat.postMessage", {"text": ""}, "no_text"),
        ("chat.postEphemeral", {"user": "U404", "text": "x"}, "user_not_in_channel"),
        ("views.update", {"view_id": "V404"}, "not_found"),
        ("users.info", {"user": "U404"}, "user_not_found"),
        ("apps.connections.open", {}, "not_allowed_token_type"),
        ("chat.meMessage", {"text": "x"}, "unknown_method"),
    ],
)
def test_mistakes_get_slacks_own_words(
    slack: SlackLab, api: Any, method: str, arguments: dict[str, Any], error: str
) -> None:
    answer = api(method, **({"channel": slack.channel} | arguments))
    assert (answer["ok"], answer["error"]) == (False, error)


def test_a_missing_token_and_a_wrong_one_are_told_apart(slack: SlackLab) -> None:
    assert httpx.post(slack.base_url + "auth.test").json()["error"] == "not_authed"
    answer = httpx.post(slack.base_url + "auth.test", data={"token": "wrong"})
    assert answer.json()["error"] == "invalid_auth"


def test_an_opened_connection_ticket_works_once(slack: SlackLab) -> None:
    token = slack.app_token.reveal().decode()
    url = httpx.post(slack.base_url + "apps.connections.open", data={"token": token}).json()["url"]
    with connect(url) as first:
        assert "hello" in str(first.recv())
    with pytest.raises(WebSocketException), connect(url) as second:
        second.recv()


def test_a_trigger_opens_one_modal_and_not_for_long(api: Any) -> None:
    view = {"type": "modal", "title": plain("x"), "blocks": [{"type": "divider"}]}
    assert api("views.open", trigger_id="never", view=view)["error"] == "exchanged_trigger_id"
    with SlackLab.start(trigger_seconds=0) as hasty:
        user = hasty.add_user("bob")
        assert not hasty.command(user, "help").acked  # nobody is connected
        trigger = next(iter(hasty._world.triggers))
        answer = httpx.post(
            hasty.base_url + "views.open",
            json={"trigger_id": trigger, "view": view},
            headers={"Authorization": f"Bearer {hasty.bot_token.reveal().decode()}"},
        ).json()
    assert answer["error"] == "expired_trigger_id"


def test_an_envelope_nobody_answers_is_a_failure_for_the_person() -> None:
    with SlackLab.start(ack_seconds=0.05) as slack:
        token = slack.app_token.reveal().decode()
        opened = httpx.post(slack.base_url + "apps.connections.open", data={"token": token})
        with connect(opened.json()["url"]) as silent:
            silent.recv()
            slack.wait(slack.connections)
            assert not slack.command(slack.add_user("bob"), "help").acked


def test_each_envelope_goes_to_one_socket_only(slack: SlackLab) -> None:
    token = slack.app_token.reveal().decode()

    def url() -> str:
        opened = httpx.post(slack.base_url + "apps.connections.open", data={"token": token})
        return str(opened.json()["url"])

    with connect(url()) as one, connect(url()) as two:
        assert "hello" in str(one.recv())
        assert "hello" in str(two.recv())
        slack.wait(lambda: slack.connections() == 2)
        slack._server.exchange.deadline = 0.05
        slack.command(slack.add_user("bob"), "help")
        got = 0
        for socket in (one, two):
            try:
                socket.recv(timeout=0.1)
                got += 1
            except TimeoutError:
                continue
        assert got == 1
