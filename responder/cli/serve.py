"""``stanch serve``: the web and Slack doors; without a team's broker also the whole work."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

import click
import uvicorn

from stanch.responder.bootstrap import House, Part, open_house
from stanch.responder.bootstrap.door import health, metrics, reading, slack_door
from stanch.responder.bootstrap.watching import hook_door, watching
from stanch.responder.config import Settings, load
from stanch.responder.domain.error import UsageError
from stanch.responder.keys.reference import secret
from stanch.responder.telemetry.bridge import bridge
from stanch.responder.web.app import make_web
from stanch.responder.web.guard import Door, make_door
from stanch.responder.web.patience import Patience
from stanch.responder.worker.embedded import EmbeddedWorker
from stanch.responder.worker.sweeper import Sweeper

_GRACE = 10  # seconds that open requests have when the server is told to stop


_PARTS = {"all": Part.WHOLE, "web": Part.WEB, "slack": Part.SLACK, "hooks": Part.HOOKS}


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True)
@click.option(
    "--door",
    "which",
    type=click.Choice(["all", "web", "slack", "hooks"]),
    default="all",
    show_default=True,
    help="Which door: each process of a team then holds only the keys that its door needs.",
)
def command(host: str, port: int, which: str) -> None:
    """Run the web door, and the Slack door when Slack is configured, until SIGTERM or Ctrl-C.

    With the broker memory:// the work itself is done here too: one process is then a whole
    installation. With redis:// run `stanch worker` and `stanch worker --beat` beside it.

    `--door web` only reads: it needs no key that opens the vault, adds to the record or signs.
    `--door slack` takes decisions in Slack, and answers only /healthz and /readyz here.
    `--door hooks` takes webhooks of what is watched at /hooks/NAME, and shows nothing.

    Exit codes: 0 stopped as told, 2 usage or configuration.
    """
    bridge()
    settings = load()
    token = settings.web.token
    door = Door(None)  # webhooks are signed, and there are no pages
    if which != "hooks":
        door = make_door(secret(token, what="web.token") if token else None, host=host)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        part = _PARTS[which]
        house = stack.enter_context(open_house(settings, part=part, notify=part is Part.WHOLE))
        if part is Part.WHOLE and not settings.team:
            stack.enter_context(EmbeddedWorker(house.celery))
            stack.enter_context(Sweeper(house, seconds=settings.worker.sweep_seconds))
            stack.enter_context(watching(house))
        if part in {Part.WHOLE, Part.SLACK}:
            _open_slack(stack, house)
        _serve_web(house, door, listening)


def _open_slack(stack: ExitStack, house: House) -> None:
    slack = slack_door(house)
    if slack is not None:
        stack.enter_context(slack)
    elif house.part is Part.SLACK:
        raise UsageError(
            "there is no Slack to open a door to: [slack] bot_token is not set",
            remedy="set [slack] in stanch.toml, or run `stanch serve --door web`",
        )


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


def _serve_web(house: House, door: Door, listening: socket.socket) -> None:
    shown = reading(house) if house.part in {Part.WHOLE, Part.WEB} else None
    hooks = hook_door(house) if house.part.value.notices else None
    app = make_web(
        shown,
        health=health(house),
        door=door,
        hosts=_hosts(house.settings, listening),
        hooks=hooks.take if hooks else None,
        metrics=metrics(house) if shown else None,
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


def _hosts(settings: Settings, listening: socket.socket) -> tuple[str, ...]:
    host = str(listening.getsockname()[0])
    wild = host in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return settings.web.hosts if wild else (*settings.web.hosts, host)
