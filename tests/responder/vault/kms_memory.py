"""What KMS does with one symmetric key, in memory: the twin of the lab's KMS."""

from __future__ import annotations

import os
from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stanch.responder.domain.json import canonical

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
