"""``stanch serve``: the web and Slack doors; without a team's broker also the whole work."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

import click
import uvicorn
from markupsafe import Markup

from stanch.responder.bootstrap import House, open_house, slack_settings
from stanch.responder.cli.session import notifiers
from stanch.responder.config import Settings, load, secret
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.render import html, story
from stanch.responder.services.health import Health
from stanch.responder.services.listing import Listing
from stanch.responder.services.watch import Watch
from stanch.responder.slack.service import ServiceDesk
from stanch.responder.telemetry.bridge import bridge
from stanch.responder.web.app import Reading, make_web
from stanch.responder.web.guard import Door, make_door
from stanch.responder.web.patience import Patience
from stanch.responder.worker.broker import reach
from stanch.responder.worker.embedded import EmbeddedWorker
from stanch.responder.worker.sweeper import Sweeper

_GRACE = 10  # seconds that open requests have when the server is told to stop


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True)
def command(host: str, port: int) -> None:
    """Run the web door, and the Slack door when Slack is configured, until SIGTERM or Ctrl-C.

    With the broker memory:// the work itself is done here too: one process is then a whole
    installation. With redis:// run `stanch worker` and `stanch worker --beat` beside it.

    Exit codes: 0 stopped as told, 2 usage or configuration.
    """
    bridge()
    settings = load()
    token = settings.web.token
    door = make_door(secret(token, what="web.token") if token else None, host=host)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        house = stack.enter_context(open_house(settings, notifiers=notifiers(settings)))
        if settings.broker.url.startswith("memory:"):
            stack.enter_context(EmbeddedWorker(house.celery))
            stack.enter_context(Sweeper(house, seconds=settings.worker.sweep_seconds))
        _open_slack(stack, house)
        _serve_web(house, door, listening)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    # Uvicorn stops gracefully, then raises the signal again: leave through every context.
    del number, frame
    sys.exit(0)


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            remedy="choose another --port or --host",
        ) from None
    with listening:
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"listening on http://{shown}:{listening.getsockname()[1]}", err=True)
        yield listening


def _open_slack(stack: ExitStack, house: House) -> None:
    slack = slack_settings(house.settings)
    if slack is None:
        return
    # Imported late: who has no Slack should not wait for it.
    from stanch.responder.slack.app import SlackApp  # noqa: PLC0415
    from stanch.responder.slack.link import run_socket_mode  # noqa: PLC0415

    desk = ServiceDesk(
        store=house.store,
        approvals=house.approvals,
        closing=house.closing,
        card_room=house.cards,
    )
    stack.enter_context(run_socket_mode(SlackApp(slack, desk), slack.app_token))


def _serve_web(house: House, door: Door, listening: socket.socket) -> None:
    app = make_web(
        reading(house), health=health(house), door=door, hosts=_hosts(house.settings, listening)
    )
    config = uvicorn.Config(
        app,
        access_log=False,
        http=Patience,
        log_config=None,  # the logging stands already
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listening])


def reading(house: House) -> Reading:
    """What the pages show, from the house's services."""
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
    """Ready is who reaches the store and the broker."""

    def store() -> None:
        with house.store.snapshot() as tx:
            tx.incidents.get(IncidentId(1))

    return Health(parts={"store": store, "broker": lambda: reach(house.celery)})


def _hosts(settings: Settings, listening: socket.socket) -> tuple[str, ...]:
    host = str(listening.getsockname()[0])
    wild = host in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return settings.web.hosts if wild else (*settings.web.hosts, host)
