"""Images that real tools have made, saved and pushed: umoci, skopeo, Docker's registry."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stanch.scanner.api import Scanner
from stanch.scanner.model.provenance import InImage
from tests.scanner.conftest import Outcome, github_token, sorted_out

_TOOLS = ("umoci", "skopeo", "docker-registry")
_MISSING = [each for each in _TOOLS if shutil.which(each) is None]

pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"not installed, so not tried: {', '.join(_MISSING)} (apt-get install)"
)

Scan = Callable[[str], Outcome]


def _run(*words: str, folder: Path) -> None:
    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of two layers: a secret, and its end."""
    root = tmp_path_factory.mktemp("images")
    _run("umoci", "init", "--layout", "layout", folder=root)
    _run("umoci", "new", "--image", "layout:app", folder=root)
    _run("umoci", "unpack", "--rootless", "--image", "layout:app", "bundle", folder=root)
    tree = root / "bundle" / "rootfs"
    (tree / "app").mkdir()
    (tree / "app" / ".env").write_text(f"TOKEN={github_token(1)}\n")
    (tree / "app" / "kept.env").write_text(f"TOKEN={github_token(2)}\n")
    (tree / "app" / "link").symlink_to("/etc/passwd")
    repack = ("umoci", "repack", "--refresh-bundle", "--image", "layout:app")
    _run(*repack, "--history.created_by", "COPY . /app", "bundle", folder=root)
    (tree / "app" / ".env").unlink()
    _run(*repack, "--history.created_by", "RUN rm /app/.env", "bundle", folder=root)
    env = f"API_TOKEN={github_token(3)}"
    _run("umoci", "config", "--image", "layout:app", "--config.env", env, folder=root)
    (root / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return root


def _copy(folder: Path, target: str, *options: str) -> None:
    words = ("skopeo", "--policy", "policy.json", "copy", *options, "oci:layout:app", target)
    _run(*words, folder=folder)


_USER, _PASSWORD = "ann", "of-ours"


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=["open", "basic"])
def registry(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[str, str]]:
    """Docker's registry on this machine, and how it asks who is there."""
    kind, port = request.param, _free()
    place = folder / kind
    place.mkdir()
    auth = ""
    if kind == "basic":
        crypt = ctypes.CDLL("libcrypt.so.1").crypt
        crypt.restype = ctypes.c_char_p
        hashed = crypt(_PASSWORD.encode(), b"$2b$04$" + b"a" * 22).decode()
        (place / "users").write_text(f"{_USER}:{hashed}\n")
        auth = f"auth: {{htpasswd: {{realm: ours, path: {place / 'users'}}}}}\n"
    (place / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: {place / 'data'}}}}}\n{auth}"
    )
    with (place / "log").open("wb") as log:
        words = ["docker-registry", "serve", str(place / "config.yml")]
        served = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        _wait(port)
        login = ("--dest-creds", f"{_USER}:{_PASSWORD}") if auth else ()
        host = f"127.0.0.1:{port}"
        _copy(folder, f"docker://{host}/team/app:1", "--dest-tls-verify=false", *login)
        yield kind, host
    finally:
        served.terminate()
        served.wait(10)


def _wait(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def image(scanner: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    monkeypatch.setenv("REGISTRY_PASSWORD", _PASSWORD)
    (tmp_path / "stanch.toml").touch()
    return lambda name: sorted_out(iter(scanner.scan_image(name)))


def _check(outcome: Outcome) -> None:
    assert not outcome.incomplete
    found: dict[str, InImage] = {}
    for match in outcome.matches:
        place = match.finding.provenance
        assert isinstance(place, InImage)
        (value,) = match.parts.values()
        found.setdefault(value.reveal().decode(), place)
    first, second, third = (found[github_token(n)] for n in (1, 2, 3))
    assert (first.path, first.later, first.instruction) == ("app/.env", "deleted", "COPY . /app")
    assert (second.path, second.later, second.layer) == ("app/kept.env", "", first.layer)
    assert (third.path, third.layer) == ("config/env", None)


def test_a_layout_of_umoci(folder: Path, image: Scan) -> None:
    _check(image(str(folder / "layout")))


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_skopeo_saves(folder: Path, image: Scan, form: str) -> None:
    _copy(folder, f"{form}:{form}.tar:app:1")
    _check(image(str(folder / f"{form}.tar")))


def test_what_the_registry_of_docker_serves(
    registry: tuple[str, str], image: Scan, tmp_path: Path
) -> None:
    kind, host = registry
    name = f"{host}/team/app:1"
    if kind == "basic":
        assert "(401)" in image(name).incomplete[0].why
        login = f'user = "{_USER}"\npassword = "env:REGISTRY_PASSWORD"\n'
        Path(os.environ["STANCH_CONFIG"]).write_text(f'[hosts."{host}"]\n{login}')
    _check(image(name))
    assert "has no team/app:2" in image(f"{host}/team/app:2").incomplete[0].why
    del tmp_path
