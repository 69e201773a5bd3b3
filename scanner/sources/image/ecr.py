"""The login of Amazon ECR: twelve hours, from the AWS credentials that this process has.

The one place of the scanner that knows AWS, and only when such a registry is asked.
"""

from __future__ import annotations

import base64
import binascii

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.secret import SecretValue


def login(region: str) -> tuple[str, SecretValue]:
    """User and password for the account's registries in a Region."""
    try:
        import boto3  # noqa: PLC0415  # an extra
        from botocore.config import Config  # noqa: PLC0415  # as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # as above
    except ImportError as error:
        raise UsageError(
            "images in Amazon ECR need boto3, which is not installed",
            remedy="pipx install '/path/to/the/checkout[respond]', or give the output of "
            '`aws ecr get-login-password` as password: [hosts."HOST"] in stanch.toml',
        ) from error
    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
    try:
        client = boto3.Session().client("ecr", region_name=region, config=config)
        (given,) = client.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).partition(b":")
    except (BotoCoreError, ClientError, ValueError, KeyError, binascii.Error) as error:
        raise SourceError(
            f"Amazon ECR gives no login in {region} ({type(error).__name__})",
            remedy="it needs AWS credentials that may call ecr:GetAuthorizationToken, "
            "ecr:BatchGetImage and ecr:GetDownloadUrlForLayer: aws sts get-caller-identity",
        ) from error
    return user.decode("latin-1"), SecretValue(password)
