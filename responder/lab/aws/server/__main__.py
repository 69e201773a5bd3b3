"""``python -m stanch.responder.lab.aws.server``: one lab, until standard input closes.

The first line on standard output is JSON: ``{"port": …, "admin": {"id": …, "secret": …}}``.
Nothing is written outside ``--state-dir``, where standard error should go too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import select
import shutil
import socket
import sys
import threading
from base64 import b64encode
from pathlib import Path

from stanch.responder.lab.aws.server import keyid

# The services a lab has; those that start programs or listeners of their own are left out.
_SERVICES = (
    "iam,sts,s3,secretsmanager,cloudtrail,kms,ssm,sqs,sns,events,logs,dynamodb,organizations,ec2,"
    "ecr"
)
_PARENT_CHECK_SECONDS = 0.5


def main() -> None:
    """Serve until the parent closes our standard input or dies."""
    options = _options()
    parent = os.getppid()
    _prepare_environment(options)
    source = random.SystemRandom()
    from stanch.responder.lab.aws.server.emulator import build  # noqa: PLC0415  # after the environment is set
    from stanch.responder.lab.aws.server.state import State  # noqa: PLC0415  # after the environment is set

    state = State(
        account_id=options.account_id,
        region=options.region,
        admin_key_id=keyid.issue("AKIA", options.account_id, source),
        admin_secret=b64encode(source.randbytes(30)).decode(),
        delay=options.propagation,
        source=source,
    )
    state.trail.lag = options.trail_lag
    app = build(state)
    # The protocol is named because asyncio sends small answers at once only on such a socket.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    ready = {
        "port": listener.getsockname()[1],
        "admin": {"id": state.admin_key_id, "secret": state.admin_secret},
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # from here on nobody reads the pipe
    threading.Thread(
        target=_leave_with_parent, args=(parent, options.state_dir), daemon=True
    ).start()
    asyncio.run(_serve(app, listener))


async def _serve(app: object, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415  # after the environment is set

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI callable; uvicorn's types name concrete ones
        http="h11",
        ws="none",
        lifespan="off",  # MiniStack's would start listeners and schedulers
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # MiniStack sends its own
        timeout_keep_alive=75,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An AWS for drills and tests, on 127.0.0.1.")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--account-id", default="123456789012")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--propagation", type=float, default=0.0, help="seconds")
    parser.add_argument("--trail-lag", type=float, default=0.0, help="seconds")
    return parser.parse_args()


def _prepare_environment(options: argparse.Namespace) -> None:
    """Everything MiniStack reads when it loads: it must not look at, or write to, the user's."""
    home = options.state_dir.resolve()
    for name in list(os.environ):
        if name.startswith(("AWS_", "DOCKER_", "LOCALSTACK_", "MINISTACK_", "S3_")):
            del os.environ[name]
    os.environ.update(
        {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "CLOUDTRAIL_RECORDING": "0",  # the gate writes the trail
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",
            "HOME": str(home),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": options.account_id,
            "MINISTACK_REGION": options.region,
            "PERSIST_STATE": "0",
            "S3_DATA_DIR": str(home / "s3"),
            "S3_PERSIST": "0",
            "SERVICES": _SERVICES,
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(home / "state"),
            "TMPDIR": str(home),
        }
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")


def _leave_with_parent(parent: int, state_dir: Path) -> None:
    """Leave nothing behind when standard input closes or the parent is gone, however it went."""
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], _PARENT_CHECK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            break
    shutil.rmtree(state_dir, ignore_errors=True)
    os._exit(0)


main()
