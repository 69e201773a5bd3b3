"""A look at the broker: does it answer, and does it keep what it was given?"""

from __future__ import annotations

from dataclasses import dataclass

from celery import Celery
from kombu.exceptions import OperationalError

from stanch.responder.domain.error import StanchError


class BrokerError(StanchError):
    """The broker cannot be used. The message never holds its password."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """``appends`` is whether a Redis writes an append-only file; None for other brokers."""

    name: str
    appends: bool | None


def reach(app: Celery) -> Broker:
    """Ask the broker for a sign of life; takes a few seconds at most. Raises BrokerError."""
    from redis.exceptions import RedisError  # noqa: PLC0415  # it loads all of redis, and most commands ask no broker

    with app.connection_for_write() as connection:
        name = connection.as_uri()  # without the password
        try:
            connection.ensure_connection(max_retries=1, timeout=2)
            client = getattr(connection.default_channel, "client", None)
            appends = bool(client.info("persistence").get("aof_enabled")) if client else None
        except (OperationalError, OSError, RedisError) as error:
            raise BrokerError(
                f"the broker {name} does not answer: {type(error).__name__}",
                remedy="start it, or correct [broker] url and password",
            ) from None
    return Broker(name=name, appends=appends)
