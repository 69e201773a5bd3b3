"""From the Close button to a closed incident: the modal, and what is done with its answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.slack.answer import Problems, answer
from stanch.responder.slack.blocks import CLOSE_PRESS, context, plain, section
from stanch.responder.slack.button import ButtonKey, Press
from stanch.responder.slack.desk import Desk
from stanch.responder.slack.frame import FOREIGN, FORGED, LATE, Body, Frame, Teller, person_of, why
from stanch.responder.slack.modal import REASON, View, ask_text, modal, problem_of, typed
from stanch.responder.slack.text import said
from stanch.responder.slack.wire import call

SUBMIT_CLOSE = "leak.closed.v1"
STALE = "This incident cannot be closed now: its card has moved on."
OWNER = "owner"
_MAX_ITEMS = 20
_MAX_OWNER = 60


class Closer:
    """Opens the modal and closes the incident, in threads of its own."""

    def __init__(self, *, client: WebClient, desk: Desk, key: ButtonKey, teller: Teller) -> None:
        self._client = client
        self._desk = desk
        self._frame = Frame(key=key, teller=teller)
        self._teller = teller
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="slack-closer")

    def close(self) -> None:
        """Let what was started finish."""
        self._pool.shutdown(wait=True)

    def open(self, body: Body) -> None:
        """Open the modal for a click on Close. Runs after the acknowledgement."""
        self._frame.pressed(body, self._show)

    def _show(self, press: Press, body: Body) -> str | None:
        if press.approval != CLOSE_PRESS:
            return FORGED
        if not self._desk.card(press.incident).closable:
            return STALE
        unowned = self._desk.unowned(press.incident)
        view = close_view(press.incident, unowned, body["channel"]["id"])
        call(self._client.views_open, trigger_id=body["trigger_id"], view=view)
        return None

    def submitted(self, ack: Ack, body: Body) -> None:
        """Answer the submitted modal: close the incident, or say inside it what is wrong."""
        view = body["view"]
        try:
            incident, channel = json.loads(view["private_metadata"])
            number = IncidentId(int(incident))
        except (TypeError, ValueError):  # not as this app wrote it
            ack(response_action="errors", errors={REASON: FOREIGN})
            return
        outcome = self._pool.submit(self._record, number, view, person_of(body))
        if not answer(ack, outcome):
            self._teller.tell(channel, body["user"]["id"], LATE)

    def _record(self, incident: IncidentId, view: View, person: str) -> Problems:
        reason, owner = typed(view, REASON), typed(view, OWNER)
        problem = problem_of(reason)
        if problem is not None:
            return {REASON: problem}
        try:
            self._desk.close(incident, slack_user=person, owner=owner, reason=reason)
        except Exception as error:  # noqa: BLE001  # the last frame: whatever it is, say so
            return {REASON: why(error)}
        return {}


def close_view(incident: IncidentId, unowned: tuple[str, ...], channel: str) -> View:
    """What is left to do, who does it, and why the incident is over. Pure."""
    items: list[Any] = [section(f"• {said(what, 400)}") for what in unowned[:_MAX_ITEMS]]
    if len(unowned) > _MAX_ITEMS:
        items.append(context(f"and {len(unowned) - _MAX_ITEMS} more in the postmortem"))
    asked: list[Any] = []
    if unowned:
        hint = "One name for all of it; `stanch close` takes one for each."
        asked.append(ask_text(OWNER, "Who does it", most=_MAX_OWNER, hint=hint))
    title = "*What is left to do:*" if unowned else "Everything that is left to do has an owner."
    blocks = [
        section(title),
        *items,
        *asked,
        ask_text(REASON, "Why it is over", multiline=True),
        context("Another sighting of the credential opens the incident again."),
    ]
    return modal(label(incident), blocks) | {
        "callback_id": SUBMIT_CLOSE,
        "submit": plain("Close incident"),
        "private_metadata": json.dumps([incident, channel]),
    }
