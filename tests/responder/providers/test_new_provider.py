"""A provider is one folder, one line and one runbook: everything else learns of it by itself.

This is the example of docs/providers.md; a door code at Acme.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from stanch.responder import config
from stanch.responder.bootstrap import House, open_house
from stanch.responder.bootstrap.setting import installed_runbooks
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import RunState
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    Present,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.render import markdown
from stanch.responder.postmortem.report import ActionKind
from stanch.responder.providers import registry
from stanch.responder.providers.page import render
from stanch.responder.providers.permission import required
from stanch.responder.providers.provider import Provider, Resolve
from stanch.responder.providers.setting import Section
from stanch.responder.services.intake import Report
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

ALICE = Caller(name="alice", door="cli")
RUNBOOK = """\
runbook: acme-door-code
version: 1
title: A door code has leaked
answers:
  - {provider: acme, kinds: [door-code]}
contained_by: dead
proven_dead_by: still-dead
contain:
  - step: change
    uses: acme.code.change
    after: []
  - step: dead
    uses: acme.proof.dead
    after: [change]
audit:
  - step: still-dead
    uses: acme.proof.dead
    after: [dead]
"""


class Doors:
    """The adapter: which codes open."""

    opens: ClassVar[set[bytes]] = set()

    def identity(self) -> str:
        return "the janitor"

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        return parts["value"].reveal() in self.opens

    def close(self) -> None: ...


class AcmeSection(Section, frozen=True):
    building: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    before: Mapping[str, object] = field(default_factory=dict)


class ChangeCode:
    spec: ClassVar[StepSpec] = StepSpec(
        name="acme.code.change", title="Change the door code", effect=Effect.REVERSIBLE,
        params=Nothing, permissions=("doors:change",), parts=("value",), undo="acme.code.restore",
    )  # fmt: skip
    shut: ClassVar[bool] = True

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def calls(self, params: object, preview: str) -> tuple[Call, ...]:
        del params
        return (Call(api="doors:change", arguments={"code": preview}),)

    def observe(self, params: object, ctx: StepContext) -> Present | Absent:
        del params
        opens = ctx.open("value").reveal() in self._doors.opens
        return Absent() if opens is self.shut else Present(evidence={"opens": opens})

    def act(self, params: object, ctx: StepContext) -> JsonObject:
        del params
        self._doors.opens.symmetric_difference_update({ctx.open("value").reveal()})
        return {"by": self._doors.identity()}

    def verify(self, params: object, ctx: StepContext) -> Verdict:
        del params, ctx
        return Verified(evidence={})


class RestoreCode(ChangeCode):
    spec: ClassVar[StepSpec] = StepSpec(
        name="acme.code.restore", title="Restore the door code", effect=Effect.REVERSIBLE,
        params=Undo, parts=("value",), undo="acme.code.change",
    )  # fmt: skip
    shut: ClassVar[bool] = False


class ProveDead:
    spec: ClassVar[StepSpec] = StepSpec(
        name="acme.proof.dead", title="Prove the code dead", effect=Effect.READ,
        params=Nothing, parts=("value",), proves=True,
    )  # fmt: skip

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def calls(self, params: object, preview: str) -> tuple[Call, ...]:
        del params
        return (Call(api="doors:try", arguments={"code": preview}),)

    def look(self, params: object, ctx: StepContext) -> Verdict:
        del params
        opens = ctx.open("value").reveal() in self._doors.opens
        said = Claim(
            what=f"door code {ctx.preview}",
            validity=Validity.LIVE if opens else Validity.DEAD,
            how="tried at the door",
            seen_at=ctx.now(),
        )
        return Verified(evidence={"opens": opens}, claim=said)


def _connect(section: Section, resolve: Resolve) -> Doors:
    del section, resolve
    return Doors()


def _checks(section: Section, permissions: Iterable[str]) -> Iterator[Check]:
    assert isinstance(section, AcmeSection)
    yield Check(State.GOOD, "acme", f"{section.building}: {', '.join(permissions)}")


def _advice(facts: Facts) -> Iterator[Draft]:
    del facts
    yield ("lock", ActionKind.PREVENT, "Buy a lock", "a code can be read by all who pass")


ACME: Provider[Doors] = Provider(
    name="acme",
    settings=AcmeSection,
    connect=_connect,
    steps=(ChangeCode, RestoreCode, ProveDead),
    checks=_checks,
    advice=_advice,
    words=MappingProxyType({"door-code": "Acme door code"}),
)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line in the registry, for everybody who has read the list already."""
    providers = (*registry.PROVIDERS, ACME)
    specs = {**registry.SPECS, **ACME.specs()}
    for name, module in list(sys.modules.items()):
        if name.startswith("stanch.responder."):
            for attribute, old, new in (
                ("PROVIDERS", registry.PROVIDERS, providers),
                ("SPECS", registry.SPECS, specs),
            ):
                if module is not registry and getattr(module, attribute, None) is old:
                    monkeypatch.setattr(module, attribute, new)
    tables = {**config.TABLES, ACME.name: ACME.settings}
    monkeypatch.setattr(config, "TABLES", tables)
    monkeypatch.setattr(config, "_KEYS", (*tables, "people"))
    monkeypatch.setattr(Doors, "opens", set())


@pytest.fixture
def house(tmp_path: Path, listed: None) -> Iterator[House]:
    del listed
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "acme-door-code.yaml").write_text(RUNBOOK)
    (tmp_path / "stanch.toml").write_text(
        f'[runbooks]\nfolder = "{tmp_path / "books"}"\n[acme]\nbuilding = "annex"\n'
        '[people.alice]\ngroups = ["security"]\n'
    )
    environment = {
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_CONFIG": str(tmp_path / "stanch.toml"),
    }
    with open_house(config.load(environment=environment)) as opened:
        yield opened


def test_everything_learns_of_a_new_provider_by_itself(house: House) -> None:
    code = secrets.token_hex(8)
    Doors.opens.add(code.encode())
    finding = Finding(
        rule="acme-door-code", provider="acme", kind="door-code",
        provenance=InWorktree(path="notes.txt"),
        span=Span(line=1, column=1, end_line=1, end_column=9),
        fingerprint="v1:" + secrets.token_hex(16), preview="code…",
        severity=Severity.HIGH, confidence=Confidence.HIGH, reason="prefix",
    )  # fmt: skip
    match = Match(finding=finding, parts={"value": SecretValue(code.encode())})
    taken = house.intake.receive(
        Report(match=match, root="wiki", by=ALICE, detected_at=datetime.now(UTC))
    )
    assert taken.run is not None
    settle(house, taken.run)
    assert Doors.opens == set()
    card = house.cards.card(taken.incident)
    assert card.headline.startswith("PROVEN DEAD · Acme door code")
    with house.store.transaction() as tx:
        found = tx.incidents.get(taken.incident)
        assert found is not None
        assert found.state is IncidentState.PROVEN_DEAD
    report = markdown(build(house.casefiles.gather(taken.incident), now=datetime.now(UTC)))
    assert "Buy a lock" in report
    assert code not in report


def settle(house: House, run: Any) -> None:
    end = datetime.now(UTC) + timedelta(seconds=20)
    while datetime.now(UTC) < end:
        house.advance(run)
        with house.store.transaction() as tx:
            found = tx.runs.get(run)
        assert found is not None
        if found.state.over:
            assert found.state is RunState.DONE
            return
    raise TimeoutError(run)


def test_its_settings_checks_permissions_and_steps_are_known(house: House) -> None:
    books = installed_runbooks(house.settings)
    assert required(books.values(), ACME.specs()) == ("doors:change",)
    section = house.settings.provider("acme")
    assert [check.what for check in ACME.checks(section, ("doors:change",))] == [
        "annex: doors:change"
    ]
    assert "## `acme.code.change`" in render({**registry.SPECS, **ACME.specs()})
