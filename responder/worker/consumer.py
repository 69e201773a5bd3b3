"""Takes messages from a broker that anybody may have written to: none of them ends a worker.

Celery trusts what a message says about itself (limits, times, callbacks) and lets what it did not
foresee end the whole worker. Ours says only which task and which id; the rest is dropped before it
is looked at. What cannot be handled is put away and said, and the next message is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery.worker.consumer import Consumer
from kombu.message import Message

from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

_OURS = ("task", "id", "lang")  # all that a message of ours needs to say


class GuardedConsumer(Consumer):
    """Celery's consumer, for a broker that is not trusted."""

    loop: Callable[..., Any]
    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: Callable[..., Any] = self.loop
        lost = (*self.connection_errors, *self.channel_errors)
        self._lost = lost
        # Also what keeps us from beginning (a queue that somebody has made another kind of value)
        # is a broker that is away for now, not the end of the worker.
        self.connection_errors = (Exception,)

        def loop(*given: Any) -> Any:
            try:
                return inner(*given)
            except lost:
                raise
            except Exception as error:
                log.warning("message.unreadable", error=type(error).__name__)
                # As after a lost connection: begin anew, without what could not be read.
                raise ConnectionResetError("the broker gave what is no message") from error

        self.loop = loop

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], Any]:
        """What is called for each message."""
        inner = super().create_task_handler(*args, **kwargs)

        def received(message: Message) -> Any:
            try:
                _strip(message)
                return inner(message)
            except self._lost:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it holds, the worker lives
                log.warning("message.refused", error=type(error).__name__)
                with suppress(Exception):
                    message.reject()
                return None

        return received


def _strip(message: Message) -> None:
    """Leave what our own messages say; the id is any text of a bounded length."""
    given = message.headers
    if not isinstance(given, dict):
        raise TypeError("headers are no mapping")
    said = {name: given[name] for name in _OURS if isinstance(given.get(name), str)}
    if set(said) != set(_OURS) or any(len(value) > 200 for value in said.values()):  # noqa: PLR2004
        raise ValueError("no message of ours")
    message.headers.clear()
    message.headers.update(said, root_id=said["id"], argsrepr="", kwargsrepr="{}")
