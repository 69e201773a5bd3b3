"""What doctor asks AWS besides permissions: its clock, and where a thief would be looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from stanch.responder.domain.check import Check, State
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings
from stanch.responder.providers.aws.check import aws


@pytest.fixture
def clients(bench: Any, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bench.lab.admin.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bench.lab.admin.secret)
    found: AwsClients = bench.aws
    return found


def looked(settings: AwsSettings, word: str) -> list[Check]:
    return [check for check in aws(settings, ()) if word in check.what]


def test_regions_that_are_not_searched_or_not_enabled_are_named(clients: AwsClients) -> None:
    enabled = set(clients.enabled_regions())
    session: Any = boto3.Session()
    other = min(set(session.get_available_regions("sts")) - enabled)
    settings = replace(clients.settings, regions=(clients.settings.region, other))
    (unknown,) = looked(settings, "has not enabled")
    assert unknown.state is State.WRONG
    assert unknown.what.endswith(f": {other}")
    (unsearched,) = looked(settings, "not searched")
    assert set(unsearched.what.partition(": ")[2].split(", ")) == enabled - {settings.region}


def test_whoever_names_no_region_searches_all(clients: AwsClients) -> None:
    assert looked(replace(clients.settings, regions=()), "Region") == []


def test_its_clock_is_compared_with_ours(clients: AwsClients) -> None:
    (clock,) = looked(clients.settings, "clock")
    assert clock.state is State.GOOD
    assert "agrees with this machine's" in clock.what
