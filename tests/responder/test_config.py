"""The configuration: where it comes from, what it refuses, and that its page tells the truth."""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stanch.responder.config import TABLES, Settings, load, origin
from stanch.responder.domain.error import ConfigError
from stanch.responder.providers.aws.setting import AwsSection
from stanch.responder.watch.setting import WatchSection
from stanch.scanner.local.hosts import KEYS as HOST_KEYS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(?P<key>\w+)` \| (?P<type>[^|]+) \| (?P<default>[^|]+) \|", re.MULTILINE)
TYPES = {
    str: "text",
    bool: "true or false",
    float: "number",
    int: "whole number",
    tuple: "list of texts",
}


def loaded(folder: Path, text: str = "", **environment: str) -> Settings:
    home = folder / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "stanch.toml").write_text(text)
    return load(environment={"STANCH_HOME": str(home), **environment})


def documented() -> dict[tuple[str, str], tuple[str, str]]:
    """Section and key to type and default, as the page says."""
    found = {}
    for part in re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        section = part.partition("\n")[0].strip("`[] ")
        for row in ROW.finditer(part):
            found[section, row["key"]] = (row["type"].strip(), row["default"].strip())
    return found


def known() -> dict[tuple[str, str], tuple[str, str]]:
    """The same, as the code says."""
    found = {}
    for name, section in TABLES.items():
        for key in msgspec.structs.fields(section):
            found[name, key.name] = (_type(key), _shown(key.default))
    return found


def _type(key: msgspec.structs.FieldInfo) -> str:
    tables = key.type == tuple[dict[str, Any], ...]
    return "list of tables" if tables else TYPES[type(key.default)]


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float | int):
        return f"`{default}`"
    if isinstance(default, tuple) and default:
        return f"`{json.dumps(default)}`"
    return f"`{default!r}`".replace("'", '"') if isinstance(default, str) and default else "none"


def test_the_page_lists_every_key_with_its_type_and_default() -> None:
    said = documented()
    named = {key for key in said if key[0].startswith(("people", "hosts", "watch"))}
    assert {key: said[key] for key in said if key not in named} == known()
    watch = {key.name for key in msgspec.structs.fields(WatchSection)}
    assert {key for _, key in named} == {"groups", "slack", "account", *HOST_KEYS, *watch}


def test_the_example_on_the_page_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    settings = loaded(tmp_path, example)
    assert settings.persons()["alice"].groups == {"security"}


def test_a_password_goes_into_the_url_only_when_it_is_used(tmp_path: Path) -> None:
    value = secrets.token_hex(8) + "/@:%"
    (tmp_path / "pw").write_text(value + "\n")
    settings = loaded(
        tmp_path,
        f'[broker]\nurl = "redis://broker:6379/0"\npassword = "file:{tmp_path}/pw"\n'
        '[store]\nurl = "postgresql://stanch@/stanch?host=/run"\n'
        f'password = "file:{tmp_path}/pw"\n',
    )
    assert value not in repr(settings)
    quoted = value[:16] + "%2F%40%3A%25"
    assert settings.broker_url() == f"redis://:{quoted}@broker:6379/0"
    assert settings.store_url() == f"postgresql://stanch:{quoted}@/stanch?host=/run"


def test_two_passwords_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("one")
    url = "redis://:{}@broker/0".format("another" + "one")
    text = f'[broker]\nurl = "{url}"\npassword = "file:{tmp_path}/pw"\n'
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text).broker_url()
    assert "anotherone" not in f"{refusal.value}{refusal.value.remedy}"


def test_a_password_that_is_no_reference_is_refused_without_repeating_it(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[broker]\nurl = "redis://b/0"\npassword = "hunter2hunter2"\n')
    with pytest.raises(ConfigError) as refusal:
        settings.broker_url()
    assert "hunter2" not in f"{refusal.value}{refusal.value.remedy}"


@pytest.mark.parametrize(
    ("text", "near"), [("[brokr]\n", "broker"), ("[web]\ntokn = 'x'\n", "token")]
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, near: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text)
    assert near in refusal.value.remedy


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    text = '[aws]\nregion = "eu-west-1"\nprobe_sessions = true\n'
    settings = loaded(
        tmp_path,
        text,
        STANCH_AWS_REGION="eu-central-1",
        STANCH_AWS_PROBE_SESSIONS="no",
        STANCH_WEB_HOSTS="a.example, b.example",
        STANCH_WORKER_LEASE_SECONDS="30",
    )
    given = settings.provider("aws")
    assert isinstance(given, AwsSection)
    assert given.region == "eu-central-1"
    assert given.probe_sessions is False
    assert settings.web.hosts == ("a.example", "b.example")
    assert settings.worker.lease_seconds == 30.0


@pytest.mark.parametrize("text", ["[worker]\nlease_seconds = 0\n", "[aws]\nregion = 7\n", "[x\n"])
def test_a_wrong_value_is_an_error_with_a_remedy(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text)
    assert refusal.value.remedy


def test_the_file_in_force_is_named(tmp_path: Path) -> None:
    environment = {"STANCH_HOME": str(tmp_path)}
    assert origin(environment) == "defaults"
    (tmp_path / "stanch.toml").write_text('[aws]\nregion = "eu-west-1"\n')
    assert origin(environment) == str(tmp_path / "stanch.toml")


@pytest.mark.parametrize("name", ["stanch.toml", "pyproject.toml"])
def test_the_folder_that_one_stands_in_configures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    head = "tool.stanch." if name == "pyproject.toml" else ""
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / name).write_text(
        f'[{head}slack]\nbot_token = "file:~/.gitlab_token"\nbase_url = "http://evil.example/"\n'
        f'[{head}store]\nurl = "postgresql://a@evil.example/x"\npassword = "env:SECRET"\n'
    )
    monkeypatch.chdir(clone)
    environment = {"STANCH_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    assert origin(environment) == "defaults"
    assert load(environment) == load({"STANCH_HOME": str(tmp_path / "home")})
    assert load(environment).slack.bot_token == ""


def test_a_configuration_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stanch.toml")
    with pytest.raises(ConfigError):
        load({"STANCH_HOME": str(tmp_path)})
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(20 << 30)
    with pytest.raises(ConfigError):
        load({"STANCH_HOME": str(tmp_path), "STANCH_CONFIG": str(tmp_path / "huge")})
