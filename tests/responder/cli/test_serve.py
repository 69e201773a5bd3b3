"""`stanch serve` as one process that is a whole installation, over real HTTP, AWS and Slack."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import Settings, load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.lab.slack.world import View
from stanch.responder.services.intake import Report
from stanch.responder.slack.blocks import CLOSE, REVIEW
from stanch.responder.slack.modal import loading
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

PATIENCE = 40.0


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with AwsLab.start() as lab:
        yield seed(lab)


@pytest.fixture
def slack() -> Iterator[SlackLab]:
    with SlackLab.start() as workspace:
        yield workspace


@dataclass(slots=True, kw_only=True)
class Installation:
    """A data directory with its configuration, served by one process."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    @property
    def settings(self) -> Settings:
        return load(environment=self.environment)

    @property
    def said(self) -> str:
        return (self.home / "serve.log").read_text()

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        with (self.home / "serve.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stanch", "serve", "--port", "0", *options],
                cwd=self.home, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        return self.process

    def up(self) -> None:
        process = self.serve()
        self.until(lambda: "listening on" in self.said or process.poll() is not None)
        found = re.search(r"http://\S+", self.said)
        assert found, self.said
        self.url = found[0]
        self.until(self._alive)

    def _alive(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def until(self, true: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, self.said
            time.sleep(0.05)


@pytest.fixture
def installation(tmp_path: Path, world: World, slack: SlackLab) -> Iterator[Installation]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "bot").write_bytes(slack.bot_token.reveal())
    (home / "app").write_bytes(slack.app_token.reveal())
    people = "".join(
        f'[people.{name}]\ngroups = ["security"]\nslack = "{slack.person(slack.add_user(name))}"\n'
        for name in ("alice", "bob")
    )
    (home / "stanch.toml").write_text(
        f'{people}[aws]\nendpoint_url = "{world.lab.endpoint_url}"\ntrail_lag_seconds = 0\n'
        f'[slack]\nbot_token = "file:{home}/bot"\napp_token = "file:{home}/app"\n'
        f'channel = "{slack.channel}"\nteam = "{slack.team}"\nbase_url = "{slack.base_url}"\n'
        "[worker]\nsweep_seconds = 0.2\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "STANCH_HOME": str(home),
        "AWS_ACCESS_KEY_ID": world.lab.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": world.lab.admin.secret,
    }
    made = Installation(home=home, environment=environment)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def leak(house: House, world: World) -> IncidentId:
    """The world's key is found in a working tree."""
    key = world.leaked.access_key_id
    finding = Finding(
        rule="aws-access-key",
        provider="aws",
        kind="access-key",
        provenance=InWorktree(path="deploy/env.sh"),
        span=Span(line=12, column=23, end_line=12, end_column=43),
        fingerprint=f"v1:{secrets.token_hex(16)}",
        preview=f"{key[:4]}…{key[-4:]}",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        reason="prefix",
    )
    parts = {
        "access_key_id": SecretValue(key.encode()),
        "secret_access_key": SecretValue(world.leaked.secret.encode()),
    }
    match = Match(finding=finding, parts=parts)
    return house.intake.receive(
        Report(
            match=match,
            root="payments",
            by=Caller(name="alice", door="cli"),
            detected_at=datetime.now(UTC),
            respond=False,
        )
    ).incident


def press(slack: SlackLab, name: str, action: str, answer: dict[str, str]) -> Any:
    """Press a button of the one card as ``name``, answer its modal; Slack's delivery of that."""
    return slack.submit(_user(slack, name), look(slack, name, action), answer)


def _user(slack: SlackLab, name: str) -> str:
    return next(user for user, called in slack._world.users.items() if called == name)


def look(slack: SlackLab, name: str, action: str) -> View:
    """Press a button of the one card as ``name``; its modal."""
    (message,) = slack.messages()
    user = _user(slack, name)
    slack.click(user, message, action)
    view = slack.wait(lambda: [v for v in slack.views(user) if v.content != loading()])[0]
    assert isinstance(view, View)
    return view


def approve(slack: SlackLab, name: str) -> Any:
    answer = {
        "decision": "approve",
        "reason": "The replacement works in production.",
        "confirm": "LK-1",
    }
    return press(slack, name, REVIEW, answer)


def test_one_process_contains_asks_in_slack_and_proves_the_key_dead(
    installation: Installation, world: World, slack: SlackLab
) -> None:
    installation.up()
    with open_house(installation.settings) as house:
        incident = leak(house, world)
        house.responses.respond(incident, by=Caller(name="alice", door="cli"))

    def shows(text: str) -> Callable[[], bool]:
        return lambda: any(text in str(message) for message in slack.messages())

    installation.until(shows("leak.review"))
    (message,) = slack.messages()
    installation.until(lambda: bool(slack.replies(message["ts"])))
    (called,) = slack.replies(message["ts"])
    assert f"<@{_user(slack, 'bob')}>" in called["text"]
    assert "cannot also give it" in str(look(slack, "alice", REVIEW).content)
    assert approve(slack, "bob").acked
    installation.until(shows("PROVEN DEAD"))
    over = {"owner": "dana", "reason": "Dead, and its consumer works."}
    assert press(slack, "bob", CLOSE, over).acked
    installation.until(shows("CLOSED · "))
    assert len(slack.messages()) == 1
    listed = httpx.get(f"{installation.url}/", trust_env=False).text
    told = httpx.get(f"{installation.url}/incidents/LK-{incident}/postmortem", trust_env=False).text
    assert "closed" in listed
    assert "LK-1" in told
    assert "dana" in told
    for text in (listed, told, installation.said, *map(str, slack.bodies())):
        assert world.leaked.secret not in text
    assert installation.process is not None
    installation.process.send_signal(signal.SIGTERM)
    assert installation.process.wait(20) == 0
    assert "Traceback" not in installation.said


def test_a_port_that_is_taken_is_a_usage_error(installation: Installation) -> None:
    installation.up()
    port = installation.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "stanch", "serve", "--port", port],
        cwd=installation.home, env=installation.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "choose another --port" in second.stderr


def test_an_open_address_without_a_token_is_refused_before_anything_starts(
    installation: Installation,
) -> None:
    assert installation.serve("--host", "0.0.0.0").wait(30) == 2  # noqa: S104  # refused
    assert "open to everybody" in installation.said
    assert not (installation.home / "stanch.db").exists()
