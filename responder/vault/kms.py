"""A master key in AWS KMS: it never leaves the service, and CloudTrail sees every use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stanch.responder.domain.error import ConfigError, Retryable, VaultError
from stanch.scanner.model.secret import SecretValue

_LATER = timedelta(seconds=5)
_PASSING = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
_ARN_REGION = 3  # arn:aws:kms:REGION:…


class KmsClient(Protocol):
    """The part of boto3's KMS client that is used here."""

    def generate_data_key(self, *args: Any, **kwargs: Any) -> Any:
        """GenerateDataKey."""

    def decrypt(self, *args: Any, **kwargs: Any) -> Any:
        """Decrypt."""


class MasterKeyUnreachableError(VaultError, Retryable):
    """KMS said "not now": a step tries again, a person reads a remedy."""

    def __init__(self, why: str) -> None:
        # Not through either parent: each would pass its own arguments on to the other.
        Exception.__init__(self, f"the master key is not reachable: {why}")
        self.remedy = "wait, then repeat"
        self.after = _LATER


class KmsMasterKey:
    """A symmetric KMS key. Needs kms:GenerateDataKey and kms:Decrypt on ``key_id``."""

    def __init__(self, client: KmsClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self.name = f"aws-kms:{key_id}"

    def make(self, context: Mapping[str, str]) -> tuple[SecretValue, bytes]:
        """A fresh data key from KMS."""
        answer = self._call(self._client.generate_data_key, context, KeySpec="AES_256")
        return SecretValue(answer["Plaintext"]), bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> SecretValue:
        """The data key, or VaultError."""
        answer = self._call(self._client.decrypt, context, CiphertextBlob=wrapped)
        return SecretValue(answer["Plaintext"])

    def _call(self, method: Any, context: Mapping[str, str], **arguments: Any) -> Any:
        try:
            # KeyId also on Decrypt: else KMS would use whatever key the blob names.
            return method(KeyId=self._key_id, EncryptionContext=dict(context), **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code in _PASSING:
                raise MasterKeyUnreachableError(code) from None
            raise VaultError(
                f"KMS refused the master key {self._key_id}: {code}",
                remedy="check the key's state and its policy for kms:GenerateDataKey and "
                "kms:Decrypt; InvalidCiphertextException means the sealed value was altered",
            ) from None
        except BotoCoreError as error:
            raise MasterKeyUnreachableError(type(error).__name__) from None


def connect(arn: str) -> KmsMasterKey:
    """The KMS key ``arn`` with the process's AWS identity."""
    pieces = arn.split(":")
    if len(pieces) <= _ARN_REGION or not pieces[_ARN_REGION]:
        raise ConfigError(
            f"{arn!r} does not name a KMS key",
            remedy="write aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID",
        )
    client = boto3.client(
        "kms",
        region_name=pieces[_ARN_REGION],
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return KmsMasterKey(client, arn)
