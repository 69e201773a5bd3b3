"""Shows cards on every surface, at least once, without reposting what did not change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from stanch.responder.domain.card import Card
from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Errand, Message, Notifier, Store
from stanch.responder.services.cards import Cards
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

# A surface that cannot be reached is tried again after this long, doubled each time.
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Empties the outbox."""

    store: Store
    cards: Cards
    notifiers: Sequence[Notifier]

    def deliver(self, incident: IncidentId) -> None:
        """Bring every surface up to date for this incident, if an errand asks for it."""
        with self.store.transaction() as tx:
            now = tx.now()
            waiting = [
                m for m in tx.outbox.waiting(now, Errand.NOTIFY) if m.subject == str(incident)
            ]
        for message in waiting:
            self._deliver(message, incident)

    def _deliver(self, message: Message, incident: IncidentId) -> None:
        card = self.cards.card(incident)
        pause: timedelta | None = None
        for notifier in self.notifiers:
            try:
                self._show(notifier, card)
            except Retryable as error:
                pause = max(error.after, FIRST_PAUSE * 2 ** min(message.tries, 8))
            except StanchError as error:
                # Somebody must mend it (a token, a channel); the other surfaces go on meanwhile.
                log.warning(
                    "card.refused", surface=notifier.name, why=str(error), help=error.remedy
                )
                pause = LONGEST_PAUSE
        with self.store.transaction() as tx:
            if pause is None:
                tx.outbox.done(message)
            else:
                tx.outbox.later(message, tx.now() + min(pause, LONGEST_PAUSE))

    def _show(self, notifier: Notifier, card: Card) -> None:
        digest = _digest(card)
        with self.store.transaction() as tx:
            shown = tx.cards.get(card.incident, notifier.name)
        if shown is not None and shown[1] == digest:
            return
        ref = notifier.publish(card, shown[0] if shown else None)
        with self.store.transaction() as tx:
            tx.cards.save(card.incident, notifier.name, ref, digest)


def _digest(card: Card) -> str:
    """What a person sees, without the time of the look."""
    seen = replace(card, version=0, updated_at=card.updated_at.min)
    return hashlib.sha256(repr(seen).encode()).hexdigest()
