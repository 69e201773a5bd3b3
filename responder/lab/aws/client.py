"""boto3 sessions that talk to the lab, with explicit retries and, if wanted, another address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

SOURCE_IP_HEADER = "x-lab-source-ip"  # the server believes it: the lab has one network
_CONNECT_SECONDS = 5
_READ_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key of the lab; ``token`` only for a temporary one. Opens nothing outside the lab."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class LabSession(boto3.Session):
    """A boto3 session whose clients talk to one lab unless told otherwise."""

    def __init__(self, endpoint_url: str, **kwargs: Any) -> None:
        self._endpoint_url = endpoint_url
        super().__init__(**kwargs)

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """As boto3's, with the lab's endpoint."""
        kwargs.setdefault("endpoint_url", self._endpoint_url)
        return super().client(*args, **kwargs)


def open_session(  # one keyword per thing a client is told
    credentials: Credentials,
    *,
    endpoint_url: str,
    region: str,
    source_ip: str | None = None,
    user_agent: str | None = None,
    attempts: int = 1,
) -> LabSession:
    """A session with these credentials; ``attempts`` counts the first try too."""
    inner = botocore.session.Session()
    inner.register_component("data_loader", _loader())
    inner.set_default_client_config(
        Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            s3={"addressing_style": "path"},  # bucket names do not resolve on loopback
            inject_host_prefix=False,
        )
    )
    told = {SOURCE_IP_HEADER: source_ip, "User-Agent": user_agent}
    inner.register("before-send.*.*", _saying({k: v for k, v in told.items() if v is not None}))
    return LabSession(
        endpoint_url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret,
        aws_session_token=credentials.token,
        region_name=region,
        botocore_session=inner,
    )


@cache
def _loader() -> Any:
    # One for all sessions: reading the service models is most of the cost of a client.
    return botocore.session.Session().get_component("data_loader")


def _saying(told: Mapping[str, str]) -> Callable[..., None]:
    def add_headers(request: Any, **_: Any) -> None:
        for name, value in told.items():
            request.headers[name] = value

    return add_headers
