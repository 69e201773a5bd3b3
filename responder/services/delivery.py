"""Shows cards on every surface, at least once, without reposting what did not change."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stanch.responder.domain.card import Card
from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import (
    Errand,
    Message,
    Notifier,
    Shown,
    Store,
    Transaction,
)
from stanch.responder.services.cards import Cards
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

# A surface that cannot be reached is tried again after this long, doubled each time.
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_REST = timedelta(seconds=30)
# How long one worker may take to show one card; after that another one tries.
HOLD = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One errand to do, and what each surface shows so far."""

    message: Message
    shown: Mapping[str, Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Empties the outbox.

    One worker at a time shows the cards of an incident, each drawn after the last was shown; so no
    card is posted twice, and none is older than what it replaces.
    """

    store: Store
    cards: Cards
    notifiers: Sequence[Notifier]
    # Surfaces that did not answer, and until when no card tries them: each try costs a wait, which
    # the other surfaces, and whatever else this worker does, would share.
    resting: dict[str, datetime] = field(default_factory=dict)

    def deliver(self, incident: IncidentId) -> None:
        """Bring every surface up to date for this incident, if an errand asks for it."""
        with self.store.snapshot() as tx:
            if not _waiting(tx, incident):
                return
        name, owner = f"card:{incident}", secrets.token_hex(8)
        turn = self._take(name, owner, incident)
        while turn is not None:
            turn = self._deliver(turn, incident, name, owner)

    def _take(self, name: str, owner: str, incident: IncidentId) -> Turn | None:
        """The errand to do now, with the lock; None when somebody else has it.

        Whoever has it looks again before it gives it back.
        """
        with self.store.transaction() as tx:
            waiting, now = _waiting(tx, incident), tx.now()
            if waiting and not self.notifiers:
                tx.outbox.done(waiting[0])  # there is nobody to tell
                return None
            if waiting and tx.locks.take(name, owner, now=now, until=now + HOLD):
                return self._turn(tx, waiting[0], incident)
        return None

    def _turn(self, tx: Transaction, message: Message, incident: IncidentId) -> Turn:
        """From here on the store says that nobody knows what is shown, until we have told it.

        If we are killed after a card was shown, and it became again what it was before that, nobody
        would show it.
        """
        names = [notifier.name for notifier in self.notifiers]
        turn = Turn(message=message, shown={name: tx.cards.get(incident, name) for name in names})
        for name, shown in turn.shown.items():
            if shown.digest:
                tx.cards.save(incident, name, replace(shown, digest=""))
        return turn

    def _deliver(self, turn: Turn, incident: IncidentId, name: str, owner: str) -> Turn | None:
        """Show the card everywhere; returns the next errand, or None with the lock given back."""
        message, results = turn.message, dict(turn.shown)
        due: list[datetime] = []
        try:
            card = self.cards.card(incident)
        except StanchError as error:
            # What cannot be drawn now is drawn later; the cards of others do not wait for it.
            log.warning("card.not_drawn", incident=incident, why=str(error), help=error.remedy)
            with self.store.snapshot() as tx:
                due = [tx.now() + LONGEST_PAUSE]
        else:
            for notifier in self.notifiers:
                result = self._show(notifier, card, results[notifier.name])
                results[notifier.name] = result
                due += [result.due_at] if result.due_at else []
        with self.store.transaction() as tx:
            now = tx.now()
            ours = tx.locks.take(name, owner, now=now, until=now + HOLD)
            for surface, shown in results.items():
                tx.cards.save(incident, surface, shown if ours else replace(shown, digest=""))
            if not ours:
                # We were slower than our lock: what we showed may be older than what is shown.
                tx.outbox.put(Errand.NOTIFY, str(incident))
                return None
            if due:
                tx.outbox.later(message, max(min(due), now + timedelta(milliseconds=1)))
            else:
                tx.outbox.done(message)
            waiting = _waiting(tx, incident)
            if not waiting:
                tx.locks.free(name, owner)
            return self._turn(tx, waiting[0], incident) if waiting else None

    def _show(self, notifier: Notifier, card: Card, shown: Shown) -> Shown:
        """Show the card where it differs from what is shown: what is to be remembered of that.

        A surface that fails has a pause of its own: the others are shown every change at once.
        """
        digest = _digest(card)
        with self.store.snapshot() as tx:
            now = tx.now()
        if shown.digest == digest and not shown.tries:
            return shown
        if shown.due_at is not None and shown.due_at > now:
            return shown
        rested = self.resting.get(notifier.name, now)
        if rested > now:
            return replace(shown, due_at=rested)
        try:
            ref = notifier.publish(card, shown.ref)
        except Exception as error:  # noqa: BLE001  # whatever a surface raises, the others go on
            pause = min(_pause(notifier, error, shown.tries), LONGEST_PAUSE)
            if isinstance(error, Retryable):
                self.resting[notifier.name] = now + min(pause, LONGEST_REST)
            return replace(shown, tries=shown.tries + 1, due_at=now + pause)
        fresh = Shown(ref=ref, digest=digest)
        if shown.ref is None:
            # Where it was posted must not be lost: a second card would be posted.
            with self.store.transaction() as tx:
                tx.cards.save(card.incident, notifier.name, fresh)
        return fresh


def _waiting(tx: Transaction, incident: IncidentId) -> list[Message]:
    waiting = tx.outbox.waiting(tx.now(), Errand.NOTIFY)
    return [message for message in waiting if message.subject == str(incident)]


def _pause(notifier: Notifier, error: Exception, tries: int) -> timedelta:
    doubled = timedelta(seconds=FIRST_PAUSE.total_seconds() * 2 ** min(tries, 8))
    if isinstance(error, Retryable):
        return max(error.after, doubled)
    if isinstance(error, StanchError):
        # Somebody must mend it (a token, a channel).
        log.warning("card.refused", surface=notifier.name, why=str(error), help=error.remedy)
        return LONGEST_PAUSE
    log.error("card.crashed", surface=notifier.name, exc_info=error)
    return doubled


def _digest(card: Card) -> str:
    """What a person sees, without the time of the look."""
    seen = replace(card, version=0, updated_at=card.updated_at.min)
    return hashlib.sha256(repr(seen).encode()).hexdigest()
