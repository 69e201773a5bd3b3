"""What the doors of `stanch serve` are given: pages and Slack, over the house's services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from markupsafe import Markup

from stanch.responder.bootstrap.house import House
from stanch.responder.bootstrap.setting import slack_settings
from stanch.responder.domain.ids import IncidentId
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.render import html, story
from stanch.responder.services.evidence.metering import Metering
from stanch.responder.services.health import Health
from stanch.responder.services.listing import Listing
from stanch.responder.services.watch import Watch
from stanch.responder.slack.service import ServiceDesk
from stanch.responder.web.app import Reading
from stanch.responder.worker.broker import reach


def reading(house: House) -> Reading:
    """What the pages show."""
    listing = Listing(store=house.store, cards=house.cards)

    def told(incident: IncidentId) -> Markup:
        return story(build(house.casefiles.case(incident), now=datetime.now(UTC)))

    def postmortem(incident: IncidentId) -> str:
        return html(build(house.casefiles.gather(incident), now=datetime.now(UTC)))

    return Reading(
        incidents=lambda most: listing.rows(most=most, closed=True),
        card=house.cards.card,
        story=told,
        postmortem=postmortem,
        warning=Watch(house.casefiles.tampered).warning,
    )


def health(house: House) -> Health:
    """Ready is who reaches the store, and the broker where there is something to ring for."""

    def store() -> None:
        with house.store.snapshot() as tx:
            tx.incidents.get(IncidentId(1))

    if not house.part.value.broker:
        return Health(parts={"store": store})
    return Health(parts={"store": store, "broker": lambda: reach(house.celery)})


def metrics(house: House) -> Callable[[], str]:
    """The numbers of the record."""
    return Metering(store=house.store).text


def slack_door(house: House) -> AbstractContextManager[object] | None:
    """The Slack door, connected inside its context; None when Slack is not configured."""
    slack = slack_settings(house.settings)
    if slack is None or slack.app_token is None:
        return None
    # Imported late: who has no Slack should not wait for it.
    from stanch.responder.slack.app import SlackApp  # noqa: PLC0415
    from stanch.responder.slack.link import run_socket_mode  # noqa: PLC0415

    desk = ServiceDesk(
        store=house.store,
        approvals=house.approvals,
        closing=house.closing,
        card_room=house.cards,
    )
    return run_socket_mode(SlackApp(slack, desk), slack.app_token)
