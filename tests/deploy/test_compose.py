"""The set-up of a team, as far as it can be judged without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from stanch.responder.cli.main import COMMANDS, stanch
from stanch.responder.config import load

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
OURS = {name for name, service in SERVICES.items() if "build" in service}

each_service = pytest.mark.parametrize("name", SERVICES)


def instructions(stage: str, word: str) -> list[str]:
    return re.findall(rf"^{word} (.*)$", stage, re.MULTILINE)


def test_it_is_what_compose_understands() -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_team_has_web_workers_beat_broker_and_store() -> None:
    ours = {"prepare", "web", "slack", "worker", "contain", "beat"}
    assert ours == OURS
    assert set(SERVICES) - OURS == {"redis", "postgres"}
    assert SERVICES["slack"]["profiles"] == ["slack"]


def test_the_store_has_an_owner_that_runs_once_and_a_role_for_the_rest() -> None:
    owner = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    holders = {name for name in SERVICES if "owner_password" in SERVICES[name].get("secrets", ())}
    assert holders == {"prepare", "postgres"}
    urls = {name: SERVICES[name]["environment"].get("STANCH_STORE_URL", "") for name in OURS}
    assert {name for name, url in urls.items() if f"//{owner}@" in url} == {"prepare"}
    assert {urls[name] for name in ("worker", "contain")} == {"postgresql://stanch@postgres/stanch"}
    assert urls["web"] == "postgresql://stanch_web@postgres/stanch"
    for name in ("worker", "contain", "slack"):
        assert SERVICES[name]["depends_on"]["prepare"] == {
            "condition": "service_completed_successfully"
        }


def test_containment_has_a_worker_of_its_own_that_differs_in_nothing_else() -> None:
    def lane(name: str) -> str:
        entry, *arguments = SERVICES[name]["command"]
        with click.Context(stanch) as context:
            command = stanch.get_command(context, entry)
        assert command is not None
        chosen: str = command.make_context(entry, arguments).params["lane"]
        return chosen

    assert (lane("contain"), lane("worker")) == ("contain", "all")
    contain, every = ({**SERVICES[name], "command": None} for name in ("contain", "worker"))
    assert contain == every


@each_service
def test_nothing_runs_as_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert int(service["user"].partition(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@each_service
def test_the_root_file_system_is_read_only(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert any(mount.startswith("/tmp:") for mount in SERVICES[name]["tmpfs"])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"prepare"}))  # which runs once
def test_every_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@each_service
def test_no_secret_is_in_the_environment(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|TOKEN|SECRET|KEY", key):
            assert value.startswith(("/run/secrets/", "file:/")), key
        assert not re.search(r"://[^/@]*:[^/@]*@", value), key


@each_service
def test_a_secret_that_is_named_is_mounted_and_declared(name: str) -> None:
    service = SERVICES[name]
    used = set(re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(service)))
    assert used == set(service["secrets"])
    assert used <= set(COMPOSE["secrets"])


def test_secrets_are_files_that_are_never_committed() -> None:
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_only_the_web_door_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8600:8600"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["inside"]


def test_what_must_survive_is_in_named_volumes() -> None:
    mounted = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if not mount.startswith("./")
    }
    assert mounted == set(COMPOSE["volumes"]) == {
        "keys", "vault", "anchors", "store", "broker",
    }  # fmt: skip


def test_only_workers_have_what_opens_the_vault_and_what_signs() -> None:
    def holders(volume: str) -> set[str]:
        return {
            name
            for name, service in SERVICES.items()
            if any(str(each).startswith(f"{volume}:") for each in service.get("volumes", ()))
        }

    assert holders("vault") == {"worker", "contain"}
    assert holders("keys") == {"worker", "contain", "slack"}
    environment = SERVICES["worker"]["environment"]
    for name in ("STANCH_VAULT_MASTER_KEY", "STANCH_LEDGER_SIGNING_KEY"):
        assert environment[name].startswith("file:/var/lib/stanch-vault/")
    slack = SERVICES["slack"]["volumes"]
    assert "anchors:/var/lib/stanch-anchors:ro" in slack


def test_the_web_door_holds_no_key_and_no_password_but_its_readers() -> None:
    web = SERVICES["web"]
    assert set(web["secrets"]) == {"reader_password", "web_token"}
    assert {each for each in web["volumes"] if not each.startswith("./")} == {
        "anchors:/var/lib/stanch-anchors:ro"
    }
    assert "STANCH_BROKER_PASSWORD" not in web["environment"]
    entry, *arguments = web["command"]
    with click.Context(stanch) as context:
        command = stanch.get_command(context, entry)
    assert command is not None
    assert command.make_context(entry, arguments).params["which"] == "web"


def test_the_broker_keeps_a_log_and_its_password_off_the_command_line() -> None:
    script = SERVICES["redis"]["command"][0]
    assert "appendonly yes" in script
    assert "requirepass" in script
    assert "redis-server --" not in script


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_command_exists_with_its_options(name: str) -> None:
    entry, *arguments = SERVICES[name]["command"]
    assert entry in COMMANDS
    with click.Context(stanch) as context:
        command = stanch.get_command(context, entry)
    assert command is not None
    command.make_context(entry, list(arguments))  # raises for an option that does not exist


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_environment_is_a_configuration_that_loads(name: str, tmp_path: Path) -> None:
    environment = dict(SERVICES[name]["environment"])
    del environment["STANCH_CONFIG"]
    settings = load(environment={**environment, "STANCH_HOME": str(tmp_path)})
    for key, value in environment.items():
        _, section, rest = key.lower().split("_", 2)
        assert getattr(getattr(settings, section), rest) == value


# -- the image -----------------------------------------------------------------------------------


def test_whatever_is_copied_exists_and_is_not_ignored() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    for line in instructions(DOCKERFILE, "COPY"):
        if line.startswith("--from"):
            continue
        *sources, _ = line.split()
        for source in sources:
            assert source == "README.md" or (ROOT / source).exists(), source
            assert source in kept, source


def test_packages_come_with_their_hashes() -> None:
    installs = re.findall(r"pip install (.*?)(?:&&|$)", DOCKERFILE, re.MULTILINE)
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install


def test_the_image_that_runs_has_no_build_tools_and_no_root() -> None:
    final = STAGES[-1]
    assert not re.search(r"gcc|build-essential|pip install", final)
    assert instructions(final, "USER") == ["10001:10001"]
    assert instructions(final, "HEALTHCHECK")


def test_the_image_and_compose_agree_on_who_runs() -> None:
    assert {SERVICES[name]["user"] for name in OURS} == {"10001:10001"}
    assert "STANCH_HOME=/var/lib/stanch" in STAGES[-1]
    assert "keys:/var/lib/stanch" in SERVICES["worker"]["volumes"]
