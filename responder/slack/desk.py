"""What the Slack door needs from the use cases; ``service`` implements it over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stanch.responder.domain.card import Ask, Card
from stanch.responder.domain.ids import ApprovalId, IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything a person must see before they decide.

    ``confirm`` is what they must type for something that cannot be undone: the incident's name,
    never a part of a credential. None means that nothing is typed. ``barred`` is why the one who
    looks cannot decide; None when they can.
    """

    incident: IncidentId
    ask: Ask
    confirm: str | None
    barred: str | None = None


class Desk(Protocol):
    """Quick calls: each must answer in well under a second."""

    def review(self, approval: ApprovalId, *, slack_user: str) -> Review:
        """An open approval, as ``slack_user`` (``team/user``) sees it.

        Raises ApprovalRefused when it is decided, expired or void.
        """

    def decide(
        self, approval: ApprovalId, *, slack_user: str, granted: bool, reason: str, plan_hash: str
    ) -> None:
        """Record the word of ``slack_user`` (``team/user``). Raises ApprovalRefused."""

    def unowned(self, incident: IncidentId) -> tuple[str, ...]:
        """The action items that nobody owns yet. Raises UsageError as ``card``."""

    def close(self, incident: IncidentId, *, slack_user: str, owner: str, reason: str) -> None:
        """Close the incident; ``owner`` takes on what nobody owns yet. Raises StanchError."""

    def card(self, incident: IncidentId) -> Card:
        """The incident's card as it is now. Raises UsageError when there is no such incident."""

    def cards(self) -> tuple[Card, ...]:
        """The cards of all incidents that are not closed, newest first."""
