"""What a tired person must understand in three seconds, free of any surface's markup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.ids import ApprovalId, IncidentId
from stanch.responder.domain.runbook import Phase

_FEW = 3  # names in a sentence
CLAIMED = (
    "On the command line the name given with `--as` is a claim: stanch.toml [people] ties no "
    "account to it."
)


class Mark(StrEnum):
    """How a phase stands."""

    AHEAD = "ahead"
    NOW = "now"
    DONE = "done"
    FAILED = "failed"

    @property
    def sign(self) -> str:
        """A sign before the phase's name; said in words too, so that nothing rests on it."""
        return {Mark.AHEAD: "○", Mark.NOW: "…", Mark.DONE: "✓", Mark.FAILED: "✗"}[self]

    @property
    def words(self) -> str:
        """The same in words."""
        return "to do" if self is Mark.AHEAD else self.value

    @property
    def urgent(self) -> bool:
        """What the eye should find first."""
        return self in {Mark.NOW, Mark.FAILED}


LINK = "See it"  # the label of a fact that is an address, which surfaces make a link


class Tone(StrEnum):
    """How the headline should feel."""

    ALARM = "alarm"
    WAITING = "waiting"
    SAFE = "safe"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who may decide. ``slack`` is ``team/user``, where that is known."""

    name: str
    slack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A decision wanted from a person.

    ``deciders`` are all who may give it now. ``claimed``: on the command line nobody checks that
    who decides is who they say.
    """

    approval: ApprovalId
    title: str  # "Delete key AKIA…7Q2M. This cannot be undone."
    calls: tuple[str, ...]
    requester: str
    group: str
    expires_at: datetime
    silence: str
    plan_hash: str
    deciders: tuple[Decider, ...]
    claimed: bool = False

    @property
    def whom(self) -> str:
        """Who decides, in words; names as far as they are few."""
        names = [decider.name for decider in self.deciders]
        if not names:
            return (
                f"nobody yet: of {self.group} only {self.requester}, who asked, is known. Add "
                "another to stanch.toml [people], then `stanch audit people --seal`"
            )
        if len(names) > _FEW:
            return f"somebody of {self.group}, but not {self.requester}"
        *first, last = names
        return f"{', '.join(first)} or {last}" if first else last


@dataclass(frozen=True, slots=True)
class Next:
    """Something that a person may safely do now. ``command`` is typed exactly so."""

    what: str  # "contain it again"
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One incident at a glance. All text is plain; adapters escape it for their surface."""

    incident: IncidentId
    version: int
    tone: Tone
    headline: str  # "CONTAINED · AWS access key · LK-7"
    summary: str  # one sentence: what is true now and what comes next
    facts: tuple[tuple[str, str], ...]  # label, value
    phases: tuple[tuple[Phase, Mark], ...]
    ask: Ask | None
    failure: str | None
    updated_at: datetime
    warning: str | None = None  # the store was tampered with: nothing here is certain
    closable: bool = False  # nothing is left but a person's word that it is over
    next: tuple[Next, ...] = ()  # beside the question, the safest first
    by_hand: tuple[str, ...] = ()  # what a person can do at the provider while we cannot

    @property
    def state(self) -> str:
        """The headline without what leaked: how lists name it."""
        return self.headline.partition(" · ")[0]

    @property
    def wanted(self) -> str:
        """What is wanted and from whom, in one line; empty when nothing is."""
        if self.ask is not None:
            soon = self.ask.expires_at.date() == self.updated_at.date()
            by = f"{self.ask.expires_at:%H:%M}" if soon else f"{self.ask.expires_at:%Y-%m-%d %H:%M}"
            return f"a decision of {self.ask.whom} by {by} UTC"
        if not self.next:
            return ""
        first = self.next[0]
        return f"{first.what}: `{first.command}`" if first.command else first.what


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRef:
    """Where a notifier put the card, so that it can be edited in place."""

    channel: str
    ts: str
