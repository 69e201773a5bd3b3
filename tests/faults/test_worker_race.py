"""Workers that do not know of each other: at once, or one asleep while another takes over.

What is guaranteed: a worker that was paused before it asked for its lease never acts when another
has taken the step, and never writes. Between that question and the request on the wire no lock can
reach; there the step's own ``observe`` and the service's idempotency decide.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from stanch.responder.domain.run import RunState

pytestmark = pytest.mark.xdist_group("killed-0")
CHANGES = (
    "disable-key", "deny-sessions", "replace-key", "write-secret", "promote-secret", "delete-key",
)  # fmt: skip
# The pause stops the whole process, so it may catch the step that runs beside the paused one
# between its lease and the wire, where no lock reaches. Repeating these acts changes nothing.
BESIDE = {
    "disable-key": "iam:PutUserPolicy",
    "deny-sessions": "iam:UpdateAccessKey",
    **dict.fromkeys(("replace-key", "write-secret", "promote-secret"), "iam:PutRolePolicy"),
}
# The act whose repetition would do the most harm, at every boundary before and after it.
CREATION = ("intended", "acted", "recorded", "verified")


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_that_advance_the_same_run_at_once_do_each_act_once(
    case: Any, workers: int
) -> None:
    while not case.state.over:
        pids = [case.worker() for _ in range(workers)]
        assert [case.zygote.wait(pid) for pid in pids] == [0] * workers
        if case.state is RunState.WAITING_APPROVAL:
            case.approve()
    case.assert_proven()


@pytest.mark.parametrize(
    "pair",
    [*((step, "observed") for step in CHANGES), *(("replace-key", b) for b in CREATION)],
    ids="-".join,
)
def test_a_worker_paused_for_longer_than_its_lease_does_not_act_when_it_wakes(
    case: Any, pair: tuple[str, str]
) -> None:
    if pair[0] == "delete-key":
        assert case.zygote.wait(case.worker()) == 0
        case.approve()
    sleeper = case.worker(pair, how="pause")
    pause(case, sleeper, pair)
    assert case.finish() == 0
    case.assert_proven()
    before = case.world.lab.calls()[-1]["seq"]

    os.kill(sleeper, signal.SIGCONT)
    assert case.zygote.wait(sleeper) == 0

    beside = BESIDE.get(pair[0])
    case.assert_proven(repeatable=beside)
    woken = [call["api"] for call in case.world.lab.calls(since=before)]
    changes = [api for api in woken if api.startswith(("Create", "Delete", "Put"))]
    assert [api for api in changes if beside is None or not beside.endswith(f":{api}")] == []


def pause(case: Any, pid: int, pair: tuple[str, str]) -> None:
    """Stop the worker at the boundary, but not while it holds the only write lock of SQLite."""
    while not (case.home / "boundaries").exists() or pair not in case.boundaries:
        time.sleep(0.005)
    with case.house.store.transaction():
        os.kill(pid, signal.SIGSTOP)
        assert case.zygote.wait(pid) == "stopped"
    (case.home / "go").touch()
