"""Our hands in AWS: clients with explicit settings, made once, for us and for the leaked key."""

from __future__ import annotations

import difflib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ProfileNotFound

from stanch.responder.domain.error import ConfigError, Retryable, StanchError
from stanch.responder.providers.aws.adapter.error import NotAllowed, NotThere, calling
from stanch.responder.providers.aws.adapter.keyid import decode_account
from stanch.responder.providers.aws.adapter.own import own_keys
from stanch.scanner.model.secret import SecretValue

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

Service = Literal[
    "iam",
    "sts",
    "cloudtrail",
    "secretsmanager",
    "s3",
    "dynamodb",
    "sqs",
    "ec2",
    "ssm",
    "kms",
    "ecr",
]


TRAIL_PACE = timedelta(milliseconds=550)
"""AWS allows two CloudTrail lookups a second in each account and Region, whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """Where our AWS is and how patient we are.

    ``accounts``: 12-digit ids that are ours (empty: only the account of our own identity).
    ``regions``: where CloudTrail is searched (empty: every Region that the account has enabled).
    ``settle``: how long IAM usually takes to show a change everywhere. ``lag``: how late CloudTrail
    may deliver. ``protected``: users that no report may touch without people, as patterns over
    their ARNs; the tag ``stanch:protected`` says the same.
    ``pace``: the least time between two CloudTrail lookups of this process in a Region.
    ``secret_template``: the consumer's secret when the user has no ``stanch:secret`` tag, with
    ``{user}`` in it. ``probe``: whether the leaked key may be used to prove that it is dead.
    """

    region: str
    endpoint_url: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    settle: timedelta = timedelta(seconds=8)
    lag: timedelta = timedelta(minutes=15)
    protected: tuple[str, ...] = ()
    pace: timedelta = TRAIL_PACE
    secret_template: str = ""
    probe: bool = True
    connect_timeout: timedelta = timedelta(seconds=3)
    read_timeout: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key pair, or a session when ``session_token`` is given."""

    access_key_id: SecretValue
    secret_access_key: SecretValue
    session_token: SecretValue | None = None


class AwsClients:
    """Clients for our identity (cached, shared by threads) and for other credentials.

    ``own`` is our identity when it does not come from boto3's usual chain.
    """

    def __init__(
        self,
        settings: AwsSettings,
        *,
        own: Credentials | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.sleep = sleep
        self._own = own
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, int], Any] = {}
        self._turns: dict[str, float] = {}
        self._caller: Mapping[str, str] | None = None
        self._regions: tuple[str, ...] | None = None
        try:
            self._source = botocore.session.get_session()
            self._session = boto3.session.Session(
                region_name=settings.region, botocore_session=self._source
            )
        except ProfileNotFound as error:
            raise ConfigError(
                f"AWS_PROFILE: {error}", remedy="`aws configure list-profiles` names those you have"
            ) from None
        except BotoCoreError as error:
            raise ConfigError(f"aws: {error}", remedy="see `stanch doctor`") from None
        for region in (settings.region, *settings.regions):
            self._check_region(region)

    def iam(self, *, attempts: int = 3) -> IAMClient:
        """IAM as our identity.

        ``attempts=1`` for every change: after a lost answer the engine looks before it acts again.
        """
        return cast("IAMClient", self._client("iam", attempts=attempts))

    def sts(self) -> STSClient:
        """STS as our identity."""
        return cast("STSClient", self._client("sts"))

    def cloudtrail(self, region: str | None = None) -> CloudTrailClient:
        """CloudTrail of a Region as our identity; patient, because its limit is low."""
        return cast("CloudTrailClient", self._client("cloudtrail", region=region, attempts=6))

    def await_turn(self, region: str) -> None:
        """Wait until the trail of a Region may be asked once more.

        AWS counts for each account and Region, and so do we: these clients are of one account, and
        whoever uses them shares what it allows.
        """
        with self._lock:
            now = time.monotonic()
            at = max(now, self._turns.get(region, 0.0))
            self._turns[region] = at + self.settings.pace.total_seconds()
        if at > now:
            self.sleep(at - now)

    def secretsmanager(self, *, attempts: int = 3) -> SecretsManagerClient:
        """Secrets Manager as our identity; ``attempts=1`` for every change, as for IAM."""
        return cast("SecretsManagerClient", self._client("secretsmanager", attempts=attempts))

    def ssm(self, *, attempts: int = 3) -> SSMClient:
        """Systems Manager as our identity; ``attempts=1`` for every change."""
        return cast("SSMClient", self._client("ssm", attempts=attempts))

    def ecr(self, region: str, *, attempts: int = 3) -> Any:
        """The registry of a Region; ``attempts=1`` for every change, as for IAM."""
        return self._client("ecr", region=region, attempts=attempts)

    def kms(self) -> KMSClient:
        """KMS as our identity."""
        return cast("KMSClient", self._client("kms"))

    def account(self) -> str:
        """The account of our own identity (asked once)."""
        return self._caller_identity()["Account"]

    def arn(self) -> str:
        """The ARN of our own identity (asked once)."""
        return self._caller_identity()["Arn"]

    def session_name(self) -> str:
        """``AROA…:name`` when we are a role session, as policies know it (asked once)."""
        return self._caller_identity()["UserId"]

    def is_own_key(self, key_id: str) -> bool:
        """Whether our identity rests on this key, itself or by the roles that it assumes."""
        if self._own is not None:
            return self._own.access_key_id.reveal().decode() == key_id
        return key_id in own_keys(self._source)

    def _caller_identity(self) -> Mapping[str, str]:
        if self._caller is None:
            with calling("sts:GetCallerIdentity"):
                found = self.sts().get_caller_identity()
            self._caller = {name: found[name] for name in ("Account", "Arn", "UserId")}
        return self._caller

    def regions(self) -> tuple[str, ...]:
        """Where the trail is searched: as configured, else every Region the account has enabled.

        Raises as :func:`~stanch.responder.providers.aws.adapter.error.calling`.
        """
        return self.settings.regions or self.enabled_regions()

    def enabled_regions(self) -> tuple[str, ...]:
        """Every Region that the account has enabled. Raises Retryable or StanchError."""
        if self._regions is None:
            with calling("ec2:DescribeRegions"):
                # Without AllRegions only those that are enabled for the account are listed.
                found = cast("Any", self._client("ec2")).describe_regions()["Regions"]
            self._regions = tuple(sorted(str(region["RegionName"]) for region in found))
        return self._regions

    def identity(self) -> str:
        """Our account; raises StanchError when we are nobody there."""
        return self.account()

    def is_ours(self, account: str) -> bool:
        """Whether we answer for this account. Credentials of others are never tried."""
        return account in (self.settings.accounts or (self.account(),))

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        """Whether the key is one that IAM shows us; True when it did not answer."""
        part = parts.get("access_key_id")
        key_id = part.reveal().decode("ascii", "replace") if part else ""
        account = decode_account(key_id)
        if not account or not key_id.startswith("AKIA"):
            return True  # the id does not say whose it is
        try:
            if not self.is_ours(account):
                return False
            with calling("iam:GetAccessKeyLastUsed"):
                self.iam(attempts=1).get_access_key_last_used(AccessKeyId=key_id)
        except (NotThere, NotAllowed):
            return False
        except (Retryable, StanchError):
            return True  # the step that needs the answer asks again, and says why there is none
        return True

    @contextmanager
    def acting_as(self, credentials: Credentials, service: Service, *, agent: str) -> Iterator[Any]:
        """A client that signs with ``credentials``, for one short use.

        ``agent`` begins the User-Agent, so that CloudTrail tells our attempts from an attacker's.
        """
        client = self._make(
            service,
            region=self.settings.region,
            credentials=credentials,
            # A proof must say what the first answer was, and soon.
            config=self._config(attempts=1, read_timeout=timedelta(seconds=5), user_agent=agent),
        )
        try:
            yield client
        finally:
            client.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _client(self, service: Service, *, region: str | None = None, attempts: int = 3) -> Any:
        place = region or self.settings.region
        key = (service, place, attempts)
        client = self._clients.get(key)
        if client is not None:
            return client
        made = self._make(
            service,
            region=place,
            credentials=self._own,
            config=self._config(
                attempts=attempts,
                read_timeout=self.settings.read_timeout,
                user_agent_extra="stanch",
            ),
        )
        with self._lock:
            return self._clients.setdefault(key, made)

    def _make(
        self, service: Service, *, region: str, credentials: Credentials | None, config: Any
    ) -> Any:
        secret: dict[str, str] = {}
        if credentials is not None:
            secret["aws_access_key_id"] = credentials.access_key_id.reveal().decode()
            secret["aws_secret_access_key"] = credentials.secret_access_key.reveal().decode()
            if credentials.session_token is not None:
                secret["aws_session_token"] = credentials.session_token.reveal().decode()
        # boto3's clients are safe to share between threads, its sessions are not:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html
        with self._lock, calling(f"{service}:*"):
            # The stubs want one literal service per call.
            return cast("Any", self._session).client(
                service,
                region_name=region,
                endpoint_url=self.settings.endpoint_url,
                config=config,
                **secret,
            )

    def _config(self, *, attempts: int, read_timeout: timedelta, **agent: str) -> Any:
        # cast: the stubs do not know ignore_configured_endpoint_urls.
        return cast("Any", Config)(
            # botocore's default changed between versions, so it is always said.
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=self.settings.connect_timeout.total_seconds(),
            read_timeout=read_timeout.total_seconds(),
            **agent,
            # Only stanch.toml may redirect us, not whatever AWS_ENDPOINT_URL the shell has.
            ignore_configured_endpoint_urls=True,
            s3={"addressing_style": "path"},
        )

    def _check_region(self, region: str) -> None:
        partitions = self._session.get_available_partitions()
        known = [
            name
            for partition in partitions
            for name in self._session.get_available_regions("sts", partition_name=partition)
        ]
        if region in known:
            return
        close = difflib.get_close_matches(region, known, n=1)
        raise ConfigError(
            f"aws.region: {region!r} is not an AWS Region",
            remedy=f"did you mean {close[0]!r}?" if close else "write one such as 'eu-central-1'",
        )
