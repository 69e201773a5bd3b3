"""The surfaces on which cards are shown beside the terminal."""

from __future__ import annotations

from stanch.responder.bootstrap.setting import slack_settings
from stanch.responder.config import Settings
from stanch.responder.domain.card import CardRef
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Notifier, Store


def notifiers(settings: Settings, store: Store) -> tuple[Notifier, ...]:
    """Those that are configured."""
    slack = slack_settings(settings, listening=False)
    if slack is None:
        return ()
    # Imported late: who has no Slack should not wait for it.
    from stanch.responder.slack.mention import SlackMention  # noqa: PLC0415
    from stanch.responder.slack.notifier import SlackNotifier  # noqa: PLC0415

    def posted(incident: IncidentId) -> CardRef | None:
        with store.snapshot() as tx:
            return tx.cards.get(incident, SlackNotifier.name).ref

    return (SlackNotifier.connect(slack), SlackMention.connect(slack, posted=posted))
