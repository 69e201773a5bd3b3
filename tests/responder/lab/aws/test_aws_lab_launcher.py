from __future__ import annotations

import http.client
import importlib.metadata
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.responder.lab.aws import AwsLab, Credentials, LabError

_ORPHAN = """
import sys
from stanch.responder.lab.aws import AwsLab
lab = AwsLab.start()
print(lab.pid, lab.state_dir, flush=True)
sys.stdin.read()
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that its new parent has not collected yet no longer runs.
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def _listening(pid: int) -> list[tuple[str, int]]:
    inodes = {
        str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()
    }
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            is_server = fields[3] in ("0A", "07")
            if is_server and f"socket:[{fields[9]}]" in inodes:
                address, port = fields[1].split(":")
                found.append((address, int(port, 16)))
    return found


def test_the_parent_never_imports_the_emulator() -> None:
    program = (
        "import stanch.responder.lab.aws, sys; print([m for m in sys.modules if 'ministack' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_the_lab_listens_on_loopback_and_on_one_port_only(lab: AwsLab) -> None:
    lab.client("sqs").create_queue(QueueName="one")
    port = int(lab.endpoint_url.rsplit(":", 1)[1])
    assert _listening(lab.pid) == [("0100007F", port)]


def test_stopping_leaves_no_process_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with AwsLab.start() as lab:
        lab.client("s3").create_bucket(Bucket="one")
        assert list(tmp_path.iterdir()) == [lab.state_dir]
        assert [path.name for path in lab.state_dir.iterdir()] == ["server.log"]
    assert not _alive(lab.pid)
    assert not list(tmp_path.iterdir())


def test_the_server_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, state_dir = parent.stdout.readline().split()
        assert _alive(int(pid))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while _alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(int(pid))
    assert not Path(state_dir).exists()


def test_another_version_of_the_emulator_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.4.21")
    with pytest.raises(LabError, match=r"needs ministack 1\.5\.33, but 1\.4\.21") as caught:
        AwsLab.start()
    assert caught.value.remedy.endswith(": make install")


def test_a_missing_emulator_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(LabError, match="needs the package ministack") as caught:
        AwsLab.start()
    assert caught.value.remedy.endswith(": make install")


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(LabError, match="invalid literal for int"):
        AwsLab.start(account_id="not-an-account")
    assert not list(tmp_path.iterdir())


def test_reset_forgets_everything_but_the_admin_key(lab: AwsLab) -> None:
    lab.client("iam").create_user(UserName="someone")
    lab.reset()
    users = lab.client("iam").list_users()["Users"]
    assert [user["UserName"] for user in users] == ["lab-admin"]
    assert [call["api"] for call in lab.calls()] == ["ListUsers"]


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/health", "/health"])
def test_the_back_doors_of_the_emulator_are_shut(lab: AwsLab, path: str) -> None:
    connection = http.client.HTTPConnection(lab.endpoint_url.removeprefix("http://"))
    connection.request("POST", path)
    status = connection.getresponse().status
    connection.close()
    assert status == 404


@pytest.mark.parametrize("key_id", ["test", "123456789012"])
def test_no_key_is_root_by_its_name(lab: AwsLab, key_id: str) -> None:
    nobody = Credentials(access_key_id=key_id, secret="test")
    with pytest.raises(Exception, match="security token included in the request is invalid"):
        lab.client("iam", nobody).list_users()


def test_unsigned_requests_open_no_bucket(lab: AwsLab) -> None:
    lab.client("s3").create_bucket(Bucket="one")
    connection = http.client.HTTPConnection(lab.endpoint_url.removeprefix("http://"))
    connection.request("GET", "/one")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def test_a_wrong_switch_is_an_error_with_a_remedy(lab: AwsLab) -> None:
    with pytest.raises(LabError, match="must not be negative") as caught:
        lab.set_propagation(timedelta(seconds=-1))
    assert caught.value.remedy
    with pytest.raises(LabError, match="not a valid Mode"):
        lab.fault("ListUsers", "sulk")
