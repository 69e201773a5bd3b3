from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.chain import GENESIS
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import SqlStore, open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN = RunId("run-1")
STEPS = 40

# Opens the store itself (so migrations race too), then takes and finishes whatever it can.
CLAIMANT = """
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from stanch.responder.domain.run import StepState
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.seal import parse_ledger_seal
from stanch.responder.store.sql import open_store

url, key = sys.argv[1:]
with open_store(url, seal=parse_ledger_seal(f"file:{key}", environment={})) as store:
    sys.stdin.readline()
    for number in range(40):
        with store.transaction() as tx:
            now = tx.now()
            step = tx.runs.claim("run-1", f"s{number}", now=now, lease=timedelta(minutes=5))
        if step is None:
            continue
        print(step.id, flush=True)
        with store.transaction() as tx:
            tx.runs.write(replace(step, state=StepState.DONE, lease_until=None))
            event = Event(at=now, actor="p", action="step.done", incident=1, detail={"s": step.id})
            tx.ledger.append(event)
"""


def begin(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(
            Incident(
                id=IncidentId(1), fingerprint="v1:0", provider="aws", kind="access-key",
                preview="…", severity="high", state=IncidentState.OPEN,
                sealed=SealedRef("sealed:00"), root="r", detected_at=NOW,
            )
        )  # fmt: skip
        tx.runs.add(
            Run(
                id=RUN, incident=IncidentId(1), kind=RunKind.RESPOND, runbook="r",
                runbook_version=1, state=RunState.RUNNING, requester="a", started_at=NOW,
            ),
            [
                StepRun(
                    run=RUN, id=f"s{number}", position=number, phase=Phase.CONTAIN, uses="x",
                    template={}, after=(), approval=None,
                )
                for number in range(STEPS)
            ],
        )  # fmt: skip


def assert_chained(store: SqlStore, expected: int) -> None:
    with store.snapshot() as tx:
        entries = list(tx.ledger.entries())
    assert [entry.seq for entry in entries] == list(range(1, expected + 1))
    previous = [GENESIS, *(entry.digest for entry in entries)]
    assert [entry.previous for entry in entries] == previous[:-1]


def test_eight_threads_with_two_hundred_transactions_each_never_find_the_store_locked(
    store: SqlStore,
) -> None:
    def work(thread: int) -> None:
        for number in range(200):
            with store.transaction() as tx:
                tx.ledger.append(
                    Event(
                        at=NOW,
                        actor=f"t{thread}",
                        action="a.b",
                        incident=None,
                        detail={"n": number},
                    )
                )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert_chained(store, 1600)


def test_of_many_threads_one_gets_each_step(store: SqlStore) -> None:
    begin(store)
    start = threading.Barrier(8)

    def work(_: int) -> list[str]:
        start.wait()
        won = []
        for number in range(STEPS):
            with store.transaction() as tx:
                name = f"s{number}"
                if tx.runs.claim(RUN, name, now=NOW, lease=timedelta(minutes=5)):
                    won.append(name)
        return won

    with ThreadPoolExecutor(8) as pool:
        won = [name for names in pool.map(work, range(8)) for name in names]
    assert Counter(won) == Counter(f"s{number}" for number in range(STEPS))
    with store.transaction() as tx:
        assert {step.token for step in tx.runs.steps(RUN)} == {1}


def test_of_many_processes_one_gets_each_step_and_the_ledger_has_no_gap(
    url: str, key_file: Path, seal: LedgerSeal
) -> None:
    with open_store(url, seal=seal) as store:
        begin(store)
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMANT, url, key_file],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        said = [worker.communicate(timeout=60)[0].split() for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0, 0]
        won = Counter(name for names in said for name in names)
        assert won == Counter(f"s{number}" for number in range(STEPS))
        with store.transaction() as tx:
            assert {step.state for step in tx.runs.steps(RUN)} == {StepState.DONE}
        assert_chained(store, STEPS)


def test_processes_that_open_an_empty_store_at_once_migrate_it_once(
    empty_url: str, key_file: Path
) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CLAIMANT, empty_url, key_file],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [worker.communicate("go\n", timeout=60)[1] for worker in workers]
    assert said == ["", "", ""]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
