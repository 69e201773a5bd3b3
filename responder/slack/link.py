"""Socket Mode: Slack reaches the app through a connection that the app opens."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

from stanch.responder.slack.app import SlackApp
from stanch.responder.slack.wire import translated
from stanch.scanner.model.secret import SecretValue


@contextmanager
def run_socket_mode(app: SlackApp, app_token: SecretValue) -> Iterator[SocketModeHandler]:
    """Connected inside the block; afterwards everything that was begun is finished and closed.

    Slack renews connections every few hours, which happens by itself. Raises SlackError with a
    remedy when the app-level token is wrong.
    """
    handler = SocketModeHandler(app.bolt, app_token.reveal().decode("ascii"))
    try:
        _connect(handler)
        yield handler
    finally:
        _hang_up(handler)
        handler.close()  # type: ignore[no-untyped-call]  # as above
        app.bolt.listener_runner.listener_executor.shutdown(wait=True)
        app.close()


def _connect(handler: SocketModeHandler) -> None:
    try:
        handler.connect()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
    except SlackApiError as error:
        raise translated(error) from None  # its text repeats the whole response


def _hang_up(handler: SocketModeHandler) -> None:
    """Wake the client's threads; else closing waits seconds for the next frame and message."""
    client = handler.client
    client.auto_reconnect_enabled = False
    client.closed = True
    client.message_queue.put(None)  # which the client ignores
    session = client.current_session
    if session is None or session.sock is None:
        return
    with contextlib.suppress(OSError):  # Slack may have hung up first
        session.sock.shutdown(socket.SHUT_RDWR)
