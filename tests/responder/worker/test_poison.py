"""A message that nobody of ours wrote ends no worker: it takes the next one."""

from __future__ import annotations

import base64
import json
import os
import signal
import uuid
from collections.abc import Callable
from typing import Any

from stanch.responder.bootstrap import House
from stanch.responder.domain.ids import IncidentId
from tests.responder.worker.test_team_worker import ring

Until = Callable[[Callable[[], bool], str], None]


def message(body: Any = "[[], {}, {}]", **changes: Any) -> str:
    """As kombu writes it; keywords change headers, or whole parts by a leading underscore."""
    headers = {"task": "stanch.sweep", "id": str(uuid.uuid4()), "lang": "py"}
    headers |= {k: v for k, v in changes.items() if not k.startswith("_")}
    raw = body if isinstance(body, bytes) else body.encode()
    whole: dict[str, Any] = {
        "body": base64.b64encode(raw).decode(),
        "content-type": "application/x-stanch-id",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": {
            "delivery_mode": 2,
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "", "routing_key": "stanch"},
            "body_encoding": "base64",
            "correlation_id": headers["id"],
        },
    }
    return json.dumps(
        whole | {k[1:].replace("_", "-"): v for k, v in changes.items() if k[0] == "_"}
    )


ODD: tuple[Any, ...] = (None, 5, [], {})
POISON = [
    *("garbage", "", "null", "5", "[]", "{}", '"text"', "{" * 5000),
    json.dumps({"body": "", "content-type": "application/x-stanch-id", "headers": {}}),
    *(message(timelimit=each) for each in ("x", [None, "x"], {"a": 1}, 5, [0.0001, 0.0001])),
    *(message(**{name: "x"}) for name in ("eta", "expires", "retries", "group_index", "stamps")),
    *(message(task=each) for each in (*ODD, "celery.backend_cleanup", "no.such")),
    *(message(id=each) for each in (*ODD, "i" * 100_000)),
    *(message(_headers=each) for each in (*ODD, "text")),
    *(message(_properties=each) for each in (*ODD, {"delivery_tag": None})),
    message(_content_type="application/x-python-serialize", _content_encoding="binary"),
    message(_content_encoding="no-such"),
    message(body=b"\xff\xfe"),
    message(_body=5),
    message(_body="no base64!"),
    message(body="[" * 100_000),
    message(body='[["a", "b"], {}, {}]'),
    message(body='[[], {}, {"callbacks": [{"task": "stanch.sweep"}]}]'),
    message(compression="application/x-gzip"),
    message(ignore_result="x", shadow=5, origin=[], parent_id={}, replaced_task_nesting="x"),
]


def test_each_malformed_message_leaves_the_worker_alive_for_the_next(
    team: Any,
    broker: Any,
    house: House,
    opened: Callable[[], IncidentId],
    waiting: Callable[[], int],
    until: Until,
) -> None:
    worker = team.worker("--concurrency", "1")
    with broker.client() as client:
        for each in POISON:
            client.lpush("stanch", each)
            client.lpush("stanch.contain", each)
        until(lambda: client.llen("stanch") == 0, "a worker that takes everything")
        assert worker.poll() is None, team.said()
        # A queue that is no queue any more: the worker waits for it, as for a broker that is away.
        client.delete("stanch")
        client.set("stanch", "x")
        until(lambda: "(server:ResponseError)" in team.said(), "a word about it")
        assert worker.poll() is None, team.said()
        client.delete("stanch")
        ring(house, opened())
        until(lambda: waiting() == 0, "the card's delivery")
    assert worker.poll() is None, team.said()
    os.killpg(worker.pid, signal.SIGTERM)
    worker.wait(30)
