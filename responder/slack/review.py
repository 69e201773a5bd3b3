"""From the Review button to a recorded decision."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

from slack_bolt import Ack
from slack_sdk import WebClient

from stanch.responder.domain.card import CardRef
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.slack.answer import answer
from stanch.responder.slack.button import ButtonKey, Press
from stanch.responder.slack.desk import Desk, Review
from stanch.responder.slack.frame import FOREIGN, LATE, Body, Frame, Teller, person_of, why
from stanch.responder.slack.modal import (
    DECISION,
    Answer,
    Subject,
    View,
    loading,
    note,
    read_answer,
    review_view,
)
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.wire import call

STALE = "Card was out of date; refreshed."
CHANGED = "The plan changed since you opened it. Close this and press Review again."
# A trigger_id lives three seconds: after this long without the plan, an empty modal is opened.
_SHELL_AFTER = 0.8
_GIVE_UP_AFTER = 20.0


class Reviewer:
    """Opens the modal and records what is submitted. The desk is asked in threads of its own."""

    def __init__(
        self,
        *,
        client: WebClient,
        desk: Desk,
        key: ButtonKey,
        notifier: SlackNotifier,
        teller: Teller,
    ) -> None:
        self._client = client
        self._desk = desk
        self._frame = Frame(key=key, teller=teller)
        self._notifier = notifier
        self._teller = teller
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="slack-desk")

    def close(self) -> None:
        """Let started decisions finish."""
        self._pool.shutdown(wait=True)

    # -- the button --------------------------------------------------------------------------

    def open(self, body: Body) -> None:
        """Open the modal for a click on Review. Runs after the acknowledgement."""
        self._frame.pressed(body, self._show)

    def _show(self, press: Press, body: Body) -> str | None:
        card = CardRef(channel=body["channel"]["id"], ts=body["message"]["ts"])
        found = self._pool.submit(self._look, press, person_of(body))
        try:
            review = found.result(timeout=_SHELL_AFTER)
        except Late:
            self._fill(found, press, body, card)
            return None
        if review is None:
            self._refresh(press.incident, card)
            return STALE
        view = review_view(review, channel=card.channel)
        call(self._client.views_open, trigger_id=body["trigger_id"], view=view)
        return None

    def _fill(self, found: Future[Review | None], press: Press, body: Body, card: CardRef) -> None:
        """The slow way: a modal at once, its content when the desk has answered."""
        opened = call(self._client.views_open, trigger_id=body["trigger_id"], view=loading())
        shell = opened["view"]
        try:
            review = found.result(timeout=_GIVE_UP_AFTER)
            if review is None:
                self._refresh(press.incident, card)
            view = note(STALE) if review is None else review_view(review, channel=card.channel)
        except Exception as error:  # noqa: BLE001  # as above: an empty modal says nothing
            view = note(why(error))
        call(self._client.views_update, view_id=shell["id"], hash=shell["hash"], view=view)

    def _look(self, press: Press, person: str) -> Review | None:
        """The review the button stands for, or None when the card moved on."""
        ask = self._desk.card(press.incident).ask
        if ask is None or ask.approval != press.approval:
            return None
        return self._desk.review(press.approval, slack_user=person)

    def _refresh(self, incident: IncidentId, at: CardRef) -> None:
        """Show the card as it is now; again when it changed meanwhile, so the newest stays."""
        for _ in range(3):
            card = self._desk.card(incident)
            self._notifier.publish(card, at)
            if self._desk.card(incident).version == card.version:
                return

    # -- the modal ---------------------------------------------------------------------------

    def submitted(self, ack: Ack, body: Body) -> None:
        """Answer a submitted modal: close it, or say inside it what is wrong."""
        view = body["view"]
        try:
            subject = Subject.unpack(view["private_metadata"])
        except ValueError:  # not as this app wrote it
            ack(response_action="errors", errors={DECISION: FOREIGN})
            return
        person = person_of(body)
        outcome = self._pool.submit(self._record, subject, view, person)
        if not answer(ack, outcome):
            self._pool.submit(self._report, outcome, subject, body["user"]["id"])

    def _record(self, subject: Subject, view: View, person: str) -> dict[str, str]:
        """Check the answer and record it; what is wrong by block id, nothing when recorded."""
        try:
            review = self._desk.review(subject.approval, slack_user=person)
            answer = read_answer(view, review)
            if not isinstance(answer, Answer):
                return answer
            if review.ask.plan_hash != subject.plan_hash:
                return {DECISION: CHANGED}
            self._desk.decide(
                subject.approval,
                slack_user=person,
                granted=answer.granted,
                reason=answer.reason,
                plan_hash=subject.plan_hash,
            )
        except Exception as error:  # noqa: BLE001  # the last frame: whatever it is, say so
            return {DECISION: why(error)}
        return {}

    def _report(self, outcome: Future[dict[str, str]], subject: Subject, user: str) -> None:
        """Tell the person how a slow decision ended, now that the modal is closed."""
        self._teller.tell(subject.channel, user, LATE)
        problems = outcome.result()
        name = label(subject.incident)
        if problems:
            self._teller.tell(
                subject.channel, user, f"{name}: not recorded. {' '.join(problems.values())}"
            )
        else:
            self._teller.tell(subject.channel, user, f"{name}: your decision is recorded.")
