"""Numbers come from the record, each entry once; rules and pictures ask for numbers there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.timeline import Event
from stanch.responder.services.evidence.metering import Metering
from stanch.responder.telemetry.exposition import FAMILIES
from tests.responder.conftest import START, Room

FOLDER = Path(__file__).parents[3] / "docs" / "lifecycle" / "monitoring"
PROD = {"source": "secrets-manager", "environment": "prod"}


def note(room: Room, action: str, detail: JsonObject, incident: int | None = None) -> None:
    about = IncidentId(incident) if incident else None
    event = Event(at=START, actor="cli:alice", action=action, incident=about, detail=detail)
    with room.store.transaction() as tx:
        tx.ledger.append(event)


def numbers(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


def test_every_entry_is_counted_once_whenever_it_is_asked(room: Room) -> None:
    room.attacked = True  # the record tells of an incident that no row has
    metering = Metering(store=room.store)
    assert numbers(metering.text())['stanch_secret_rotation_total{outcome="failed"}'] == 0
    note(room, "secret.given", PROD | {"seconds": 0.12})
    note(room, "secret.given", PROD | {"seconds": 6.0})
    note(room, "secret.denied", PROD)
    for mark in ("begun", "pending", "rolled_back", "begun"):
        note(room, f"rotation.{mark}", {"reference": "secret://shop/prod/db/password"})
    note(room, "incident.opened", {}, 7)
    plan = [{"said": "create"}, {"said": "plain"}, {"said": "unreadable"}]
    note(room, "migration.plan", {"migration": "m", "lines": plan})
    metering.text()
    found = numbers(metering.text())
    labels = 'backend="secrets-manager",environment="prod"'
    for name, wanted in {
        f'stanch_secret_fetch_seconds_bucket{{{labels},le="0.15"}}': 1,
        f'stanch_secret_fetch_seconds_bucket{{{labels},le="+Inf"}}': 2,
        f"stanch_secret_fetch_seconds_count{{{labels}}}": 2,
        f'stanch_secret_access_total{{{labels},outcome="given"}}': 2,
        f"stanch_secret_unauthorised_total{{{labels}}}": 1,
        'stanch_secret_rotation_total{outcome="failed"}': 1,
        'stanch_secret_outside{where="file"}': 2,
        'stanch_secret_outside{where="leak"}': 1,
        "stanch_secret_rotation_open": 1,
        "stanch_secret_rotation_seconds_count": 1,
        "stanch_record_entries": 9,
    }.items():
        assert found[name] == wanted, name
    note(room, "incident.contained", {}, 7)
    note(room, "migration.guard", {"migration": "m", "state": "done", "lines": []})
    after = numbers(metering.text())
    assert after['stanch_secret_outside{where="file"}'] == 0
    assert after['stanch_secret_outside{where="leak"}'] == 0


def test_a_label_cannot_break_out_of_its_quotes(room: Room) -> None:
    note(room, "secret.given", {"source": 'a"\n\\b', "environment": "prod"})
    assert (
        '{backend="a\\"\\n\\\\b",environment="prod",outcome="given"} 1'
        in Metering(store=room.store).text()
    )


def asked(text: str) -> set[str]:
    """The families that an expression asks for."""
    found = re.findall(r"\bstanch_[a-z_]+", text)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def test_rules_and_pictures_ask_for_numbers_there_are() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    board = json.loads((FOLDER / "dashboard.json").read_text())
    exprs = [rule["expr"] for group in rules for rule in group["rules"]]
    exprs += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert {name for text in exprs for name in asked(text)} <= set(FAMILIES)
    recorded = {rule["record"] for group in rules for rule in group["rules"] if "record" in rule}
    used = {name for text in exprs for name in re.findall(r"\bstanch:[a-z0-9_:]+", text)}
    assert used <= recorded
    assert board["schemaVersion"] == 42
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_each_alert_is_complete() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    alerts = {rule["alert"]: rule for group in rules for rule in group["rules"] if "alert" in rule}
    assert len(alerts) == 10
    for rule in alerts.values():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "runbook"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_each_alert_fires_when_it_should_as_prometheus_itself_sees_it() -> None:
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = subprocess.run(
            ("promtool", *words), cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
