"""A leaked key is contained although broker and workers are down."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from stanch.responder.lab.proof import acts

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _no_broker(desk: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]  # nobody listens there once it is closed
    desk.configure(
        f'[broker]\nurl = "redis://127.0.0.1:{port}/0"\n[worker]\nstandby_seconds = 0.3\n'
    )


def test_a_command_without_an_identity_says_so_and_leaves_the_work_to_a_worker(desk: Any) -> None:
    nobody = {k: v for k, v in desk.environment.items() if not k.startswith("AWS_ACCESS")}
    waiting = subprocess.Popen(
        [sys.executable, "-m", "stanch", "respond", "payments", "--as", "alice"],
        cwd=desk.folder,
        env=nobody,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    with waiting.stderr as said:
        assert any(
            "has no identity at AWS" in line or "has no identity at aws" in line for line in said
        )
        waiting.kill()
        waiting.wait()
    with desk.house() as house:
        assert house.cards.card(1).failure is None


def test_a_command_does_the_work_when_no_worker_takes_it_up(desk: Any) -> None:
    said = desk.stanch("respond", "payments", "--as", "alice")
    assert said.count("no worker has taken up LK-1 for 0.3 s") == 1
    assert "Decision wanted" in said
    assert desk.world.attacker.try_key() != "alive"
    assert desk.world.attacker.try_session() == "AccessDenied"
    desk.stanch("approve", "LK-1", "--as", "bob", "--yes", "--reason", "The new key works.")
    done = acts(desk.world.lab, since=desk.since)
    assert {name for name, times in done.items() if times != 1} <= {"iam:PutRolePolicy"}
