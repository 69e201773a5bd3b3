"""Secrets Manager made truer: a version id is used once.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

from typing import Any


def patch_versions(secretsmanager: Any) -> None:
    """Refuse a known ClientRequestToken with another value; with the same value it is a retry."""
    for name in ("_put_secret_value", "_update_secret"):
        setattr(secretsmanager, name, _once(secretsmanager, getattr(secretsmanager, name)))


def _once(secretsmanager: Any, handler: Any) -> Any:
    def call(data: dict[str, Any]) -> Any:
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        version_id = data.get("ClientRequestToken")
        known = (secret or {}).get("Versions", {}).get(version_id)
        if known is None or secret.get("DeletedDate"):
            return handler(data)
        asked = (data.get("SecretString"), data.get("SecretBinary"))
        if asked == (None, None):  # UpdateSecret that changes no value
            return handler(data)
        if asked != (known.get("SecretString"), known.get("SecretBinary")):
            return secretsmanager.error_response_json(
                "ResourceExistsException",
                "You can't use ClientRequestToken "
                f"{version_id} because that value is already in use for a version of secret "
                f"{secret['ARN']}.",
                400,
            )
        return secretsmanager.json_response(
            {
                "ARN": secret["ARN"],
                "Name": secret["Name"],
                "VersionId": version_id,
                "VersionStages": list(known["Stages"]),
            }
        )

    return call
