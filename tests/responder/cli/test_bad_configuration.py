"""A configuration that cannot be used is one message, its remedy, exit code 2 and no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.responder.cli.conftest import Desk

# name: (stanch.toml, environment, words of the message, words of the remedy)
WRONG: dict[str, tuple[str, dict[str, str], list[str], str]] = {
    "TOML that does not parse": (
        '[aws]\nregion = "eu-west-1"\nregions = [\n[slack\n',
        {},
        ["stanch.toml", "line 4"],
        "that line",
    ),
    "an unknown section": ('[slak]\nteam = "T1"\n', {}, ["stanch.toml", "'slak'"], "'slack'"),
    "an unknown key": ('[aws]\nregoin = "x"\n', {}, ["[aws]", "'regoin'"], "'region'"),
    "a value of the wrong type": ("[aws]\nregion = 1\n", {}, ["aws.region", "`str`"], "type"),
    "a section that is a value": ("aws = 3\n", {}, ["aws", "`object`"], "type"),
    "a number out of range": (
        "[worker]\nlease_seconds = 0\n",
        {},
        ["worker.lease_seconds", "> 0"],
        "type",
    ),
    "a number that is a word": (
        "",
        {"STANCH_WORKER_SWEEP_SECONDS": "often"},
        ["STANCH_WORKER_SWEEP_SECONDS", "worker.sweep_seconds"],
        "type",
    ),
    "a switch that is neither on nor off": (
        "",
        {"STANCH_AWS_PROBE_SESSIONS": "flase"},
        ["STANCH_AWS_PROBE_SESSIONS", "`bool`"],
        "type",
    ),
    "a variable that is no setting": (
        "",
        {"STANCH_AWS_REGON": "eu-central-1"},
        ["the environment", "'STANCH_AWS_REGON'"],
        "'STANCH_AWS_REGION'",
    ),
    "a broker of an unknown kind": (
        "",
        {"STANCH_BROKER_URL": "rabbit://u@h"},
        ["[broker] url", "'rabbit'"],
        "redis://",
    ),
    "a Region that does not exist": (
        '[aws]\nregion = "eu-centrl-1"\n',
        {},
        ["aws.region", "'eu-centrl-1'"],
        "'eu-central-1'",
    ),
    "a Slack token that is not there": (
        '[slack]\nbot_token = "env:SLACK_BOT"\n',
        {},
        ["slack.bot_token", "env:SLACK_BOT"],
        "set it",
    ),
    "a store's password that is not there": (
        '[store]\nurl = "postgresql://stanch@127.0.0.1/x"\npassword = "file:/nowhere/pw"\n',
        {},
        ["store.password", "/nowhere/pw"],
        "0600",
    ),
    "a master key without a scheme": (
        '[vault]\nmaster_key = "/etc/stanch/master.key"\n',
        {},
        ["master key reference"],
        "file:/path",
    ),
    "a ledger anchor without a scheme": (
        '[ledger]\nanchor = "/var/anchors"\n',
        {},
        ["ledger.anchor"],
        "file:/path",
    ),
    "a store of an unknown kind": (
        '[store]\nurl = "mysql://u@h/d"\n',
        {},
        ["'mysql'"],
        "postgresql://",
    ),
    "a configuration file that is not there": (
        "",
        {"STANCH_CONFIG": "/nowhere/stanch.toml"},
        ["/nowhere/stanch.toml", "does not exist"],
        "STANCH_CONFIG",
    ),
    "a runbook folder that is not there": (
        '[runbooks]\nfolder = "/nowhere"\n',
        {},
        ["/nowhere", "not a folder"],
        "folder with runbooks",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_configuration_is_one_message_with_its_remedy(desk: Desk, name: str) -> None:
    text, environment, words, remedy = WRONG[name]
    desk.configure(text)
    done = desk.stanch("incidents", **environment)
    assert (done.code, done.out) == (2, "")
    assert all(word in done.message for word in words), done.err
    assert remedy in done.remedy, done.err


def test_what_could_be_a_secret_is_not_repeated(
    desk: Desk, plant: Callable[[str, str], str]
) -> None:
    value = plant("a Slack token in the wrong place", "xo" + "xb-" + "7" * 12 + "-AbCdEfGhIjKl")
    done = desk.stanch("incidents", STANCH_SLACK_BOT_TOKEN=value)
    assert done.code == 2
    assert "env:NAME" in done.remedy
    assert value not in done.err


def test_a_master_key_that_others_can_read_is_refused(case: Desk) -> None:
    key = case.home / "master.key"
    key.chmod(0o644)
    done = case.stanch("incidents", "LK-1")
    assert (done.code, done.out) == (2, "")
    assert "mode 0644" in done.message
    assert f"chmod 600 {key}" in done.remedy
    key.chmod(0o600)
    assert "CONTAINED" in case.stanch("incidents", "LK-1").out, "nothing was lost"


@pytest.mark.parametrize("name", ["master.key", "ledger.key", "checkpoint.key"])
def test_a_key_file_cut_short_is_refused_and_left_as_it_is(case: Desk, name: str) -> None:
    key = case.home / name
    whole = key.read_bytes()
    key.write_bytes(whole[:7])
    done = case.stanch("incidents", "LK-1")
    assert (done.code, done.out) == (2, "")
    assert name in done.message
    assert key.read_bytes() == whole[:7]
    key.write_bytes(whole)
    assert case.stanch("incidents", "LK-1").code == 0


def test_a_data_directory_that_is_a_file_is_refused(desk: Desk) -> None:
    desk.home.write_text("mine")
    done = desk.stanch("incidents")
    assert done.code == 2
    assert str(desk.home) in done.message
    assert desk.home.read_text() == "mine"
