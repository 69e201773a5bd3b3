from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from responder.domain.error import ConfigError, Retryable, VaultError
from responder.domain.json import canonical
from responder.vault.kms import KmsMasterKey, connect
from responder.vault.master import parse_master_key

ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
CONTEXT = {"ref": "sealed:00", "part": "secret"}


class Service:
    """What KMS does with one symmetric key, in memory."""

    def __init__(self) -> None:
        self.key = os.urandom(32)
        self.error: Exception | None = None

    def generate_data_key(self, **asked: Any) -> dict[str, bytes]:
        self._answer(asked, "GenerateDataKey")
        assert asked["KeySpec"] == "AES_256"
        plain, nonce = os.urandom(32), os.urandom(12)
        context = canonical(asked["EncryptionContext"])
        blob = nonce + AESGCM(self.key).encrypt(nonce, plain, context)
        return {"Plaintext": plain, "CiphertextBlob": blob}

    def decrypt(self, **asked: Any) -> dict[str, bytes]:
        self._answer(asked, "Decrypt")
        blob, context = asked["CiphertextBlob"], canonical(asked["EncryptionContext"])
        try:
            return {"Plaintext": AESGCM(self.key).decrypt(blob[:12], blob[12:], context)}
        except InvalidTag:
            raise refusal("InvalidCiphertextException") from None

    def _answer(self, asked: dict[str, Any], operation: str) -> None:
        assert asked["KeyId"] == ARN, operation
        if self.error is not None:
            raise self.error


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}}, "Decrypt")


def test_a_data_key_is_unwrapped_only_in_its_own_context() -> None:
    master = KmsMasterKey(Service(), ARN)
    data_key, wrapped = master.make(CONTEXT)
    assert len(data_key) == 32
    assert master.unwrap(wrapped, CONTEXT) == data_key
    assert master.name == f"aws-kms:{ARN}"
    with pytest.raises(VaultError, match="InvalidCiphertextException"):
        master.unwrap(wrapped, {**CONTEXT, "part": "id"})


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException"])
def test_a_refusal_names_the_permissions(code: str) -> None:
    service = Service()
    service.error = refusal(code)
    with pytest.raises(VaultError, match=code) as caught:
        KmsMasterKey(service, ARN).make(CONTEXT)
    assert "kms:GenerateDataKey" in caught.value.remedy
    assert not isinstance(caught.value, Retryable)


@pytest.mark.parametrize(
    "error",
    [refusal("ThrottlingException"), EndpointConnectionError(endpoint_url="https://kms")],
    ids=["throttled", "unreachable"],
)
def test_what_passes_is_tried_again_by_a_step_and_explained_to_a_person(error: Exception) -> None:
    service = Service()
    service.error = error
    with pytest.raises(Retryable) as caught:
        KmsMasterKey(service, ARN).make(CONTEXT)
    assert caught.value.after.total_seconds() > 0
    assert isinstance(caught.value, VaultError)
    assert caught.value.remedy


def test_a_reference_is_joined_to_its_key() -> None:
    master = parse_master_key(f"aws-kms:{ARN}", kms=lambda arn: KmsMasterKey(Service(), arn))
    assert master.name == f"aws-kms:{ARN}"
    assert parse_master_key(f"aws-kms:{ARN}").name == master.name


def test_an_arn_without_a_region_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not name a KMS key"):
        connect("arn:aws:kms")
