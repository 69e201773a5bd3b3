"""A local Slack, the desk behind the door, and cards to show."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.approval import Approval, Decision, Person, decide, require_decider
from stanch.responder.domain.card import Ask, Card, Decider, Mark, Tone
from stanch.responder.domain.error import ApprovalRefused, UsageError
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId
from stanch.responder.domain.runbook import Phase
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.slack.app import SlackApp
from stanch.responder.slack.desk import Review
from stanch.responder.slack.link import run_socket_mode
from stanch.responder.slack.setting import SlackSettings
from stanch.scanner.model.secret import SecretValue

NOW = datetime(2026, 11, 22, 14, 3, 12, tzinfo=UTC)
PLAN = "9f" * 32


def _ask() -> Ask:
    return Ask(
        approval=ApprovalId("01JABCDEFGHJKMNPQRSTVWXYZ0"),
        title="Delete key AKIA…7Q2M. This cannot be undone.",
        calls=("iam:DeleteAccessKey UserName=deploy AccessKeyId=AKIA…7Q2M",),
        requester="alice",
        group="security",
        expires_at=NOW + timedelta(hours=1),
        silence="the key stays disabled and is not deleted",
        plan_hash=PLAN,
        deciders=(Decider("bob", "T1/U1"), Decider("dave")),
    )


def _card() -> Card:
    return Card(
        incident=IncidentId(7),
        version=3,
        tone=Tone.WAITING,
        headline="CONTAINED · AWS access key · LK-7",
        summary="The key is disabled since 14:03:12. Still to do: delete it.",
        facts=(
            ("Key", "AKIA…7Q2M"),
            ("Found in", "payments deploy/env.sh:12"),
            ("Owner", "deploy"),
        ),
        phases=(
            (Phase.CONTAIN, Mark.DONE),
            (Phase.IDENTIFY, Mark.DONE),
            (Phase.REVOKE, Mark.NOW),
            (Phase.AUDIT, Mark.AHEAD),
        ),
        ask=_ask(),
        failure=None,
        updated_at=NOW,
    )


@pytest.fixture
def card() -> Card:
    return _card()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    # Slack's client takes a proxy from the environment, even for 127.0.0.1.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def slack() -> Iterator[SlackLab]:
    with SlackLab.start() as lab:
        yield lab


@pytest.fixture
def settings(slack: SlackLab) -> SlackSettings:
    return SlackSettings(
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        button_key=SecretValue(secrets.token_bytes(32)),
        channel=slack.channel,
        team=slack.team,
        base_url=slack.base_url,
    )


@dataclass(slots=True)
class FakeDesk:
    """The use cases behind the door, in memory, deciding by the domain's own rules.

    ``gate`` holds every review and decision back until it is set; ``entered`` tells that one waits.
    """

    shown: Card
    people: dict[str, Person] = field(default_factory=dict)
    confirm: str | None = "LK-7"
    gate: threading.Event = field(default_factory=threading.Event)
    decided: list[Approval] = field(default_factory=list)
    approval: Approval | None = None
    left: tuple[str, ...] = ("Install the commit hook", "Use a role <!channel>")
    closed: list[tuple[IncidentId, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()
        ask = self.shown.ask
        assert ask is not None
        self.approval = Approval(
            id=ask.approval,
            incident=self.shown.incident,
            run=RunId("run"),
            step="delete",
            plan_hash=ask.plan_hash,
            policy="final",
            group=ask.group,
            requester=ask.requester,
            asked_at=NOW,
            expires_at=ask.expires_at,
        )

    def review(self, approval: ApprovalId, *, slack_user: str) -> Review:
        self.gate.wait(10)
        assert self.approval is not None
        if approval != self.approval.id or self.approval.decision is not Decision.OPEN:
            raise ApprovalRefused("this is already decided", remedy="look at the card")
        assert self.shown.ask is not None
        return Review(
            incident=self.shown.incident,
            ask=self.shown.ask,
            confirm=self.confirm,
            barred=self._barred(slack_user),
        )

    def _barred(self, slack_user: str) -> str | None:
        assert self.approval is not None
        if slack_user not in self.people:
            return "you are not known to Stanch: ask to be added."
        by, plan = self.people[slack_user], self.approval.plan_hash
        try:
            require_decider(self.approval, by=by, plan_hash=plan, now=NOW)
        except ApprovalRefused as refusal:
            return f"{refusal}: {refusal.remedy}."
        return None

    def decide(
        self, approval: ApprovalId, *, slack_user: str, granted: bool, reason: str, plan_hash: str
    ) -> None:
        self.gate.wait(10)
        assert self.approval is not None
        assert approval == self.approval.id
        if slack_user not in self.people:
            raise ApprovalRefused("you are not known to Stanch", remedy="ask to be added")
        self.approval = decide(
            self.approval,
            by=self.people[slack_user],
            via="slack",
            granted=granted,
            reason=reason,
            plan_hash=plan_hash,
            now=NOW,
        )
        self.decided.append(self.approval)

    def unowned(self, incident: IncidentId) -> tuple[str, ...]:
        assert incident == self.shown.incident
        return self.left

    def close(self, incident: IncidentId, *, slack_user: str, owner: str, reason: str) -> None:
        self.gate.wait(10)
        if slack_user not in self.people:
            raise ApprovalRefused("you are not known to Stanch", remedy="ask to be added")
        self.closed.append((incident, self.people[slack_user].name, owner, reason))

    def card(self, incident: IncidentId) -> Card:
        if incident != self.shown.incident:
            raise UsageError("there is no such incident", remedy="`/leak list` shows them")
        return self.shown

    def cards(self) -> tuple[Card, ...]:
        return (self.shown,)

    def move_on(self) -> None:
        """The incident went on: the decision is no longer wanted."""
        self.shown = replace(
            self.shown, version=self.shown.version + 1, ask=None, headline="PROVEN DEAD · LK-7"
        )


@pytest.fixture
def desk(card: Card) -> FakeDesk:
    return FakeDesk(card)


@pytest.fixture
def join(slack: SlackLab, desk: FakeDesk) -> Callable[[str], str]:
    """Adds a member of the group ``security`` to Slack and to the people; their Slack user id."""

    def add(name: str) -> str:
        user = slack.add_user(name)
        person = slack.person(user)
        desk.people[person] = Person(name=name, groups=frozenset({"security"}), slack=person)
        return user

    return add


@pytest.fixture
def door(settings: SlackSettings, desk: FakeDesk) -> Iterator[SlackApp]:
    """The app, connected to the local Slack over Socket Mode."""
    app = SlackApp(settings, desk)
    assert settings.app_token is not None
    with run_socket_mode(app, settings.app_token):
        yield app
