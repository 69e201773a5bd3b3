"""The desk behind the Slack door: what the use cases answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.card import Card
from stanch.responder.domain.error import ApprovalRefused
from stanch.responder.domain.ids import ApprovalId, IncidentId, label
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Store
from stanch.responder.domain.step import Effect
from stanch.responder.services.approvals import Approvals
from stanch.responder.services.cards import Cards
from stanch.responder.services.closing import Closing, Closure
from stanch.responder.slack.desk import Review

_NOT_CLOSED = tuple(state for state in IncidentState if state is not IncidentState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDesk:
    """Implements ``stanch.responder.slack.desk.Desk`` over the services."""

    store: Store
    approvals: Approvals
    closing: Closing
    card_room: Cards

    def review(self, approval: ApprovalId, *, slack_user: str) -> Review:
        """An open approval. Raises ApprovalRefused when it is decided, expired or void."""
        question = self.approvals.question(approval)
        asked = question.approval
        again = f"`stanch respond {label(asked.incident)}` asks again"
        with self.store.snapshot() as tx:
            now = tx.now()
        if asked.decision is not Decision.OPEN:
            raise ApprovalRefused(f"this is already {asked.decision}", remedy=again)
        if now >= asked.expires_at:
            raise ApprovalRefused("this question has expired", remedy=again)
        ask = self.card_room.card(asked.incident).ask
        if ask is None or ask.approval != approval or question.plan_hash != asked.plan_hash:
            raise ApprovalRefused("the plan has changed since this was asked", remedy=again)
        final = question.step.effect is Effect.FINAL
        return Review(
            incident=asked.incident,
            ask=ask,
            confirm=label(asked.incident) if final else None,
            barred=self._barred(approval, slack_user),
        )

    def _barred(self, approval: ApprovalId, slack_user: str) -> str | None:
        try:
            name = self.approvals.by_slack(slack_user).name
            by = Caller(name=name, door="slack", account=slack_user)
            self.approvals.require(approval, by=by)
        except ApprovalRefused as refusal:
            return f"{refusal}: {refusal.remedy}."
        return None

    def decide(
        self, approval: ApprovalId, *, slack_user: str, granted: bool, reason: str, plan_hash: str
    ) -> None:
        """Record the word of ``slack_user`` (``team/user``). Raises ApprovalRefused."""
        question = self.approvals.question(approval)
        if plan_hash != question.approval.plan_hash:
            raise ApprovalRefused(
                "what you looked at is not what is asked", remedy="press Review again"
            )
        person = self.approvals.by_slack(slack_user)
        self.approvals.decide(
            approval,
            by=Caller(name=person.name, door="slack", account=slack_user),
            granted=granted,
            reason=reason,
        )

    def unowned(self, incident: IncidentId) -> tuple[str, ...]:
        """The action items that nobody owns yet. Raises UsageError as ``card``."""
        return tuple(a.what for a in self.closing.actions(incident) if a.owner is None)

    def close(self, incident: IncidentId, *, slack_user: str, owner: str, reason: str) -> None:
        """Close the incident; ``owner`` takes on what nobody owns yet. Raises StanchError."""
        by = Caller(name=self.approvals.by_slack(slack_user).name, door="slack", account=slack_user)
        self.closing.close(incident, Closure(by=by, reason=reason, owners={}, other=owner or None))

    def card(self, incident: IncidentId) -> Card:
        """The incident's card as it is now. Raises UsageError when there is no such incident."""
        return self.card_room.card(incident)

    def cards(self) -> tuple[Card, ...]:
        """The cards of all incidents that are not closed, newest first."""
        with self.store.snapshot() as tx:
            ids = [incident.id for incident in tx.incidents.list(_NOT_CLOSED)]
        return tuple(self.card_room.card(incident) for incident in ids)
