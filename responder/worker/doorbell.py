"""The doorbell that rings through Celery. Losing a ring is allowed; raising is not."""

from __future__ import annotations

from celery import Celery
from kombu.exceptions import OperationalError

from stanch.responder.domain.ports import Errand
from stanch.responder.telemetry.log import get_logger
from stanch.responder.worker.app import task_name

log = get_logger(__name__)


class CeleryDoorbell:
    """Sends a task with an id as its only argument."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def ring(self, errand: Errand, subject: str) -> None:
        """Wake a worker. The sweep rings again for whatever is lost here."""
        try:
            self._app.send_task(task_name(errand), args=[subject], retry=False)
        except (OperationalError, OSError) as error:
            log.warning("ring.lost", errand=errand, subject=subject, error=type(error).__name__)
