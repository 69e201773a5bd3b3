"""Our client for queues in AWS, with the credentials that this process has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

Connect = Callable[[str, str], Any]
"""A client of a service in a Region."""


def connecting(endpoint_url: str) -> Connect:
    """Makes clients; ``endpoint_url`` is another endpoint than AWS's own, for tests."""
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard"})
    make: Any = boto3.Session().client  # its stubs want to know the service

    def connect(service: str, region: str) -> Any:
        return make(service, region_name=region, endpoint_url=endpoint_url or None, config=config)

    return connect
