"""The set-up guide agrees with the program."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import msgspec
import yaml

from stanch.responder.config import Settings
from stanch.responder.slack.app import COMMAND
from stanch.responder.slack.check import OPTIONAL, REQUIRED

GUIDE = Path(__file__).parents[3] / "docs" / "slack.md"


def test_the_manifest_asks_for_exactly_the_scopes_that_are_checked() -> None:
    found = re.search(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found
    manifest = yaml.safe_load(found[1])
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {*REQUIRED, *OPTIONAL}
    assert manifest["features"]["slash_commands"][0]["command"] == COMMAND
    assert manifest["settings"]["socket_mode_enabled"] is True


def test_the_configuration_it_shows_is_valid() -> None:
    found = re.search(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found
    parsed = msgspec.convert(tomllib.loads(textwrap.dedent(found[1])), Settings)
    assert parsed.slack.channel.startswith("C")
    assert parsed.people["alice"].slack == f"{parsed.slack.team}/U0456ABCDEF"
