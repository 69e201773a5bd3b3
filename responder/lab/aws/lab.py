"""Starts, resets and stops the lab's AWS: real HTTP on 127.0.0.1, in a process of its own."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import boto3

from stanch.responder.domain.error import StanchError
from stanch.responder.lab.aws.client import Credentials, open_session

MINISTACK = "1.5.33"  # the version whose internals the server corrects
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_CONTROL_SECONDS = 10.0
_LOG = "server.log"


class LabError(StanchError):
    """The lab cannot start, or did not understand a switch."""


@dataclass(slots=True, kw_only=True)
class AwsLab:
    """A running lab. Use as a context manager; leaving it leaves no process and no file."""

    endpoint_url: str
    account_id: str
    region: str
    admin: Credentials
    state_dir: Path
    _process: subprocess.Popen[bytes] = field(repr=False)
    _clients: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def start(
        cls,
        *,
        propagation: timedelta = timedelta(0),
        trail_lag: timedelta = timedelta(0),
        account_id: str = "123456789012",
        region: str = "us-east-1",
    ) -> Self:
        """Start a lab on a free port and return once it answers.

        ``propagation`` is how long an IAM change takes to reach decisions, ``trail_lag`` how long
        a CloudTrail event takes to be found. Raises LabError when the lab's packages are missing.
        """
        _require_ministack()
        state_dir = Path(tempfile.mkdtemp(prefix="stanch-lab-aws-"))
        process = _launch(
            state_dir,
            *("--account-id", account_id, "--region", region),
            *("--propagation", str(propagation.total_seconds())),
            *("--trail-lag", str(trail_lag.total_seconds())),
        )
        try:
            ready = _await_ready(process, state_dir / _LOG)
        except BaseException:
            _end(process)
            shutil.rmtree(state_dir, ignore_errors=True)
            raise
        return cls(
            endpoint_url=f"http://127.0.0.1:{ready['port']}",
            account_id=account_id,
            region=region,
            admin=Credentials(access_key_id=ready["admin"]["id"], secret=ready["admin"]["secret"]),
            state_dir=state_dir,
            _process=process,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the server and remove its state. May be called twice."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        _end(self._process)
        shutil.rmtree(self.state_dir, ignore_errors=True)

    def session(
        self,
        credentials: Credentials | None = None,
        *,
        source_ip: str | None = None,
        user_agent: str | None = None,
        attempts: int = 1,
    ) -> boto3.Session:
        """A boto3 session whose clients talk to this lab; by default the admin's.

        ``source_ip`` is the address that policies and CloudTrail see; ``attempts`` counts the
        first try too, and is 1 so that calls can be counted.
        """
        return open_session(
            credentials or self.admin,
            endpoint_url=self.endpoint_url,
            region=self.region,
            source_ip=source_ip,
            user_agent=user_agent,
            attempts=attempts,
        )

    def client(
        self,
        service: str,
        credentials: Credentials | None = None,
        *,
        source_ip: str | None = None,
        user_agent: str | None = None,
        attempts: int = 1,
    ) -> Any:
        """A client of one service; keywords as for ``session``.

        The same arguments give the same client, which threads may share; ``stop`` closes it.
        """
        wanted = (service, credentials or self.admin, source_ip, user_agent, attempts)
        with self._lock:
            if wanted not in self._clients:
                session = self.session(
                    credentials, source_ip=source_ip, user_agent=user_agent, attempts=attempts
                )
                self._clients[wanted] = session.client(cast("Any", service))
            return self._clients[wanted]

    def reset(self) -> None:
        """Forget everything but the admin, whose key stays the same; delay and lag stay as set."""
        self._ask("POST", "reset")

    def set_propagation(self, delay: timedelta) -> None:
        """Settle every earlier IAM change now; later ones take ``delay`` to reach decisions."""
        self._ask("POST", "propagation", {"seconds": delay.total_seconds()})

    def propagation(self) -> timedelta:
        """The delay in force."""
        return timedelta(seconds=self._ask("GET", "settings")["propagation"])

    def set_trail_lag(self, lag: timedelta) -> None:
        """How long a CloudTrail event takes to be found."""
        self._ask("POST", "trail", {"lag_seconds": lag.total_seconds()})

    def fault(self, api: str, mode: str, *, times: int = 1, skip: int = 0) -> None:
        """Fail ``times`` calls of ``api`` (``UpdateAccessKey`` or ``iam:UpdateAccessKey``).

        ``mode``: ``throttle``, ``error`` (HTTP 500), ``lost-request`` (connection reset, not
        performed) or ``lost-answer`` (performed, then connection reset). ``skip`` calls pass first.
        """
        self._ask("POST", "fault", {"api": api, "mode": mode, "times": times, "skip": skip})

    def calls(self, api: str | None = None, *, since: int = 0) -> tuple[Mapping[str, Any], ...]:
        """The journal of calls, oldest first, of one API when named, after number ``since``.

        Keys: seq, at (epoch seconds), service, api, region, access_key_id, source_ip, params,
        status (0: connection reset before an answer), error, fault, performed.
        """
        asked = f"calls?since={since}" + (f"&api={api}" if api else "")
        return tuple(self._ask("GET", asked))

    def _ask(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(
            self.endpoint_url.removeprefix("http://"), timeout=_CONTROL_SECONDS
        )
        try:
            connection.request(method, f"/_lab/{name}", json.dumps(body) if body else None)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException) as err:
            raise LabError(
                f"The lab's AWS does not answer at {self.endpoint_url}: {err}.",
                remedy=f"Start it anew; its log was {self.state_dir / _LOG}.",
            ) from err
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise LabError(
                f"The lab did not accept {name}: {answer['error']}.",
                remedy="Compare the value with the docstring of the method called.",
            )
        return answer


def _launch(state_dir: Path, *options: str) -> subprocess.Popen[bytes]:
    with (state_dir / _LOG).open("wb") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "stanch.responder.lab.aws.server"),
                *("--state-dir", str(state_dir)),
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )


_INSTALL = "in the checkout of Stanch, whose lab needs packages of its own: make install"


def _require_ministack() -> None:
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise LabError("The lab's AWS needs the package ministack.", remedy=_INSTALL) from None
    if found != MINISTACK:
        raise LabError(
            f"The lab's AWS needs ministack {MINISTACK}, but {found} is installed.", remedy=_INSTALL
        )


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101  # asked for above; tells the type checker
    readable, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    line = process.stdout.readline() if readable else b""
    if not line:
        tail = log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise LabError(f"The lab's AWS did not start: {tail}.", remedy=_INSTALL)
    ready: dict[str, Any] = json.loads(line)
    return ready


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
