"""The Celery application: thin tasks that pass an id to a service, and the queues they wait in."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from celery import Celery
from kombu import Queue
from kombu.transport import get_transport_cls

from stanch.responder.domain.error import ConfigError
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Errand
from stanch.responder.worker import message
from stanch.responder.worker.pacer import Pacer

SWEEP = "stanch.sweep"
QUEUE = "stanch"
CONTAIN_QUEUE = "stanch.contain"  # nothing else may hold containment up
FLEET_QUEUE = "stanch.fleet"  # long work, which may hold nothing else up

LANES = {
    "all": (CONTAIN_QUEUE, QUEUE),
    "contain": (CONTAIN_QUEUE,),
    "rest": (QUEUE,),
    "fleet": (FLEET_QUEUE,),
}


class Work(Protocol):
    """What the tasks call. Everything behind it is idempotent."""

    def advance(self, run: RunId, lane: Errand | None = None) -> timedelta | None:
        """Bring a run forward; returns how long until there is more to do."""

    def deliver(self, incident: IncidentId) -> None:
        """Bring the surfaces up to date."""

    def sweep(self) -> int:
        """Ring for what is due."""


class Reads(Protocol):
    """What the task of a fleet calls."""

    def work(self, fleet_id: str, /) -> timedelta | None:
        """Do one unit; how long until it is worth asking again, None for never."""


def task_name(errand: Errand) -> str:
    """The task that does an errand."""
    return f"stanch.{errand}"


def make_app(
    broker_url: str, *, sweep_seconds: float, queues: Sequence[str] = (CONTAIN_QUEUE, QUEUE)
) -> Celery:
    """An application for one broker. No result backend, no events, ids only.

    A worker of it takes messages from ``queues``, the first first where the broker can do that.
    Raises ConfigError for a broker that this installation cannot speak to.
    """
    _require_transport(broker_url)
    message.install()
    # kombu warns of a URL without a host, which memory:// needs not have.
    broker = "memory://localhost/" if broker_url == "memory://" else broker_url
    app = Celery("stanch", broker=broker, set_as_current=False)
    app.conf.update(
        accept_content=[message.NAME],
        beat_schedule={SWEEP: {"task": SWEEP, "schedule": sweep_seconds}},
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=2.0,
        broker_pool_acquire_timeout=2.0,
        broker_transport_options=_transport(broker_url),
        task_create_missing_queues=True,
        task_default_queue=QUEUE,
        task_queues=[Queue(name, routing_key=name) for name in queues],
        task_routes={
            task_name(Errand.CONTAIN): {"queue": CONTAIN_QUEUE},
            task_name(Errand.SCAN): {"queue": FLEET_QUEUE},
        },
        task_ignore_result=True,
        task_serializer=message.NAME,
        timezone="UTC",
        worker_consumer="stanch.responder.worker.consumer:GuardedConsumer",
        worker_cancel_long_running_tasks_on_connection_loss=False,  # a run outlives the broker
        worker_enable_remote_control=False,  # who may write to the broker must not stop workers
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,  # an errand waits where another worker can take it
        worker_redirect_stdouts=False,  # it would swallow the host's own output
        worker_send_task_events=False,
    )
    return app


def register(app: Celery, work: Callable[[], Work], pacer: Pacer) -> None:
    """Bind the tasks to the services. ``work`` is called in the process that runs the task."""

    def bring_on(run: str, lane: Errand) -> None:
        pause = work().advance(RunId(run), lane)
        if pause is not None:
            pacer.ring_in(pause, lane, run)

    def contain(run: str) -> None:
        bring_on(run, Errand.CONTAIN)

    def advance(run: str) -> None:
        bring_on(run, Errand.ADVANCE)

    def notify(incident: str) -> None:
        work().deliver(IncidentId(int(incident)))

    def sweep() -> None:
        work().sweep()

    tasks: dict[str, Callable[..., None]] = {
        task_name(Errand.CONTAIN): contain,
        task_name(Errand.ADVANCE): advance,
        task_name(Errand.NOTIFY): notify,
        SWEEP: sweep,
    }
    for name, function in tasks.items():
        # Not shared: else every later application of this process would get this one's tasks.
        app.task(name=name, ignore_result=True, shared=False)(function)


def register_fleet(app: Celery, hand: Callable[[], Reads], pacer: Pacer) -> None:
    """Bind the one task of a fleet's workers: a unit, and a ring for the next.

    Acknowledged when it is done. Who is killed over it leaves the ring to somebody else, and the
    lease, not the message, says when the unit may be taken again.
    """

    def scan(fleet: str) -> None:
        pause = hand().work(fleet)
        if pause is not None:
            pacer.ring_in(pause, Errand.SCAN, fleet)

    app.task(
        name=task_name(Errand.SCAN),
        ignore_result=True,
        shared=False,
        acks_late=True,
        reject_on_worker_lost=True,
    )(scan)


def twin(app: Celery, queues: Sequence[str]) -> Celery:
    """Another application with the same tasks, for a worker that takes from ``queues`` only."""
    other = make_app(app.conf.broker_url, sweep_seconds=1, queues=queues)
    for name, task in app.tasks.items():
        if name.startswith("stanch."):
            other.task(name=name, ignore_result=True, shared=False)(task.run)
    return other


def _require_transport(broker_url: str) -> None:
    scheme = broker_url.partition(":")[0]
    try:
        get_transport_cls(scheme)
        if scheme == "sqs":
            importlib.import_module("pycurl")  # its workers need it, and learn that late
    except (KeyError, ImportError):
        # The rest of the URL is not repeated: it may hold a password.
        raise ConfigError(
            f"[broker] url: {scheme!r} is no broker that this installation can speak to",
            remedy="write memory:// or redis://HOST:PORT/0; sqs:// needs stanch[sqs], others their "
            "package of kombu",
        ) from None


def _transport(broker_url: str) -> dict[str, Any]:
    if broker_url.startswith("memory:"):
        # The default of 1 s is a second of a live key; 20 ms costs no measurable CPU.
        return {"polling_interval": 0.02}
    if broker_url.startswith("sqs:"):
        return {"visibility_timeout": 60, "polling_interval": 0.2}
    # A hung broker must not hold up a revocation: without these a publish blocks for ever.
    # max_retries: a ring that nobody answers is the sweep's; trying again here only costs time.
    return {
        "socket_timeout": 2.0,
        "socket_connect_timeout": 2.0,
        "visibility_timeout": 60,
        "queue_order_strategy": "priority",  # in the order in which they are named
        "max_retries": 0,
    }
