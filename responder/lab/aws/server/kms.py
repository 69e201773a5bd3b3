"""KMS made truer: a ciphertext is opened by the key that made it, and by no other that is named.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
"""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

from base64 import b64decode
from typing import Any

_KEY_ID = 36  # bytes in front of a ciphertext that name its key


def patch_decrypt(kms: Any) -> None:
    """Refuse a KeyId other than that of the key which made the ciphertext."""
    handler = kms._decrypt

    def call(data: dict[str, Any]) -> Any:
        named = kms._resolve_key(data["KeyId"]) if data.get("KeyId") else None
        maker = b64decode(data.get("CiphertextBlob", ""))[:_KEY_ID]
        if named is None or "_symmetric_key" not in named or named["KeyId"].encode() == maker:
            return handler(data)
        return kms.error_response_json(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
            400,
        )

    kms._decrypt = call
