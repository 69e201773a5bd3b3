"""`stanch worker` as a team runs it: real processes, a real broker, a real store."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stanch.responder.bootstrap import House
from stanch.responder.cli.worker import command
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.heartbeat import Heartbeat
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Errand
from stanch.responder.worker.app import make_app
from stanch.responder.worker.broker import BrokerError, reach
from stanch.responder.worker.doorbell import CeleryDoorbell

Until = Callable[[Callable[[], bool], str], None]
Opened = Callable[[], IncidentId]
Waiting = Callable[[], int]
RING_LIMIT = 2.0  # the broker's timeout; what is more is our own overhead


def children(pid: int) -> list[int]:
    """The oldest is what keeps beside the pool, the others are the pool."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def signs(house: House) -> tuple[Heartbeat, ...]:
    with house.store.snapshot() as tx:
        return tx.heartbeats.list()


def ring(house: House, incident: IncidentId) -> None:
    CeleryDoorbell(house.celery).ring(Errand.NOTIFY, str(incident))


@contextmanager
def hung(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_ring_is_answered_by_another_process(
    team: Any, house: House, opened: Opened, waiting: Waiting, until: Until
) -> None:
    team.worker()
    ring(house, opened())
    until(lambda: waiting() == 0, "the card's delivery")


def test_what_nobody_rang_for_is_found_by_the_beat(
    team: Any, opened: Opened, waiting: Waiting, until: Until
) -> None:
    team.worker("--concurrency", "1")
    team.start("worker", "--beat")
    opened()
    until(lambda: waiting() == 0, "the card's delivery")


def test_a_beat_leaves_no_file_and_says_that_it_lives(team: Any, until: Until) -> None:
    before = set(team.home.iterdir())
    alive = team.home / "beat"
    beat = team.start("worker", "--beat", "--alive", str(alive))
    until(alive.exists, "a sign of life")
    beat.send_signal(signal.SIGTERM)
    assert beat.wait(20) == 0
    assert {path.name for path in set(team.home.iterdir()) - before} == {"beat", "0.log", "0.out"}


def test_a_warm_stop_leaves_nothing_running(team: Any, house: House, opened: Opened) -> None:
    worker = team.worker("--concurrency", "2")
    ring(house, opened())
    pool = children(worker.pid)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert signs(house) == ()
    assert pool
    assert not [pid for pid in pool if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in team.said()


def test_a_killed_pool_child_loses_no_errand(
    team: Any, house: House, opened: Opened, waiting: Waiting, until: Until
) -> None:
    worker = team.worker("--concurrency", "1")
    team.start("worker", "--beat")
    _, child = children(worker.pid)
    for _ in range(3):
        ring(house, opened())
    os.kill(child, signal.SIGKILL)
    until(lambda: waiting() == 0, "the delivery of all cards")


def test_a_flushed_broker_loses_no_errand(
    team: Any, broker: Any, house: House, opened: Opened, waiting: Waiting, until: Until
) -> None:
    ring(house, opened())
    with broker.client() as client:
        client.flushall()
    team.worker("--concurrency", "1")
    team.start("worker", "--beat")
    until(lambda: waiting() == 0, "the card's delivery")


def test_logs_are_json_lines_without_the_password(team: Any, broker: Any, until: Until) -> None:
    worker = team.worker()
    with broker.client() as client:
        client.lpush("stanch", forged(task="no.such.task", body=b"[[],{},{}]"))
    until(lambda: "unregistered task" in team.said(), "a word about the forged message")
    worker.send_signal(signal.SIGTERM)
    worker.wait(20)
    lines = team.said().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines), lines
    assert broker.password not in team.said()


def forged(*, task: str, body: bytes, content_type: str = "application/x-stanch-id") -> bytes:
    """A message as somebody with access to the broker would write it."""
    message = {
        "body": body.decode("latin-1"),
        "content-encoding": "utf-8",
        "content-type": content_type,
        "headers": {"lang": "py", "task": task, "id": os.urandom(8).hex(), "retries": 0},
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "stanch"},
            "priority": 0,
            "body_encoding": "",
            "delivery_tag": os.urandom(8).hex(),
        },
    }
    return json.dumps(message).encode()


def test_forged_messages_change_nothing_and_stop_nobody(
    team: Any, broker: Any, house: House, opened: Opened, waiting: Waiting, until: Until
) -> None:
    team.environment["STANCH_WORKER_SWEEP_SECONDS"] = "600"  # one sweep, before the incident is
    team.worker("--concurrency", "1")
    until(lambda: bool(signs(house)), "the sweep at the start")
    incident = opened()
    bodies = (
        b'[["01JABCDEFGHJKMNPQRSTVWXYZ0"],{},{}]',  # an id of no run
        b'[["LK-999"],{},{}]',
        b'[["a; DROP TABLE runs"],{},{}]',
        b'[["x"],{},{"chain":[{"task":"stanch.advance"}]}]',
        b'[["x"],{"run":"y"},{}]',
        b"[" * 5000,
        b"\xff\x00",
    )
    tasks = ("stanch.advance", "stanch.notify", "celery.backend_cleanup", "celery.map", "os.system")
    kinds = ("application/x-stanch-id", "application/json", "application/x-python-serialize")
    with broker.client() as client:
        with client.pipeline() as pipeline:
            for _ in range(3):
                for task in tasks:
                    for body in bodies:
                        for kind in kinds:
                            message = forged(task=task, body=body, content_type=kind)
                            pipeline.lpush("stanch", message)
            pipeline.execute()
        until(lambda: client.llen("stanch") == 0, "all forged messages to be taken")
    with house.store.transaction() as tx:
        assert [each.id for each in tx.incidents.list()] == [incident]
        assert tuple(tx.ledger.entries()) == ()
    assert waiting() == 1
    # The control: written in the same way, an id that means something is a ring and no more.
    with broker.client() as client:
        body = json.dumps([[str(incident)], {}, {}]).encode()
        client.lpush("stanch", forged(task="stanch.notify", body=body))
    until(lambda: waiting() == 0, "the card's delivery after the attack")


def test_the_broker_holds_ids_and_nothing_else(broker: Any, house: House) -> None:
    bell = CeleryDoorbell(house.celery)
    for number in range(20):
        bell.ring(Errand.ADVANCE, f"01JRUN{number:020d}")
    with broker.client() as client:
        messages = [json.loads(raw) for raw in client.lrange("stanch", 0, -1)]
        dump = b"".join(client.dump(key) or b"" for key in client.scan_iter())
    assert {message["headers"]["argsrepr"] for message in messages} == {
        f"['01JRUN{number:020d}']" for number in range(20)
    }
    assert {message["headers"]["kwargsrepr"] for message in messages} == {"{}"}
    everything = dump + broker.files()
    assert b"01JRUN" in broker.files(), "the search must be able to find something"
    assert broker.password.encode() not in everything
    assert str(house.settings.home).encode() not in everything


def test_a_hung_broker_delays_a_ring_no_longer_than_its_timeout(broker: Any, house: House) -> None:
    bell = CeleryDoorbell(house.celery)
    bell.ring(Errand.ADVANCE, RunId("warm"))
    with hung(broker.pid):
        began = time.monotonic()
        bell.ring(Errand.ADVANCE, RunId("lost"))
        held = time.monotonic() - began
    assert held < 3 * RING_LIMIT  # generous: a busy machine; without the timeout it is for ever


def test_a_broker_that_hangs_from_the_start_is_reported_not_waited_for(broker: Any) -> None:
    app = make_app(broker.url, sweep_seconds=1)
    with hung(broker.pid), pytest.raises(BrokerError, match="does not answer"):
        reach(app)
    app.close()


def test_a_worker_without_a_team_broker_says_what_to_do() -> None:
    result = CliRunner().invoke(command, env={"STANCH_BROKER_URL": "memory://"})
    assert isinstance(result.exception, UsageError)
    assert "stanch serve" in result.exception.remedy


def test_a_worker_that_cannot_open_its_store_says_so_before_it_takes_messages(team: Any) -> None:
    team.environment["STANCH_STORE_URL"] = "mysql://somewhere/else"
    worker = team.start("worker")
    assert worker.wait(30) == 2
    assert "cannot live in 'mysql'" in team.said()
