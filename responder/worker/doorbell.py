"""The doorbell that rings through Celery. Losing a ring is allowed; raising is not."""

from __future__ import annotations

import time

from celery import Celery
from kombu.exceptions import OperationalError

from stanch.responder.domain.ports import Errand
from stanch.responder.telemetry.log import get_logger
from stanch.responder.worker.app import task_name

log = get_logger(__name__)

_PAUSE = 1.0  # seconds without a ring after one that was lost: each costs a wait


class CeleryDoorbell:
    """Sends a task with an id as its only argument."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._deaf_until = 0.0
        self._silent = False
        self._news = False

    def ring(self, errand: Errand, subject: str) -> None:
        """Wake a worker. The sweep rings again for whatever is lost here."""
        if time.monotonic() < self._deaf_until:
            return
        try:
            self._app.send_task(task_name(errand), args=[subject], retry=False)
        except (OperationalError, OSError) as error:
            self._deaf_until = time.monotonic() + _PAUSE
            if not self._silent:
                # Once: for as long as the broker is away, nothing else is to be said.
                log.info("ring.lost", errand=errand, subject=subject, error=type(error).__name__)
            self._news = self._news or not self._silent
            self._silent = True
        else:
            self._silent = False

    @property
    def silent(self) -> bool:
        """Whether the last ring was lost: nobody hears us."""
        return self._silent

    def lost(self) -> str | None:
        """The broker that has fallen silent since this was asked last; without its password."""
        if not self._news:
            return None
        self._news = False
        with self._app.connection_for_write() as connection:
            return str(connection.as_uri())
