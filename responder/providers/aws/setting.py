"""The ``[aws]`` table of ``stanch.toml``."""

from __future__ import annotations

from stanch.responder.providers.aws.adapter.client import AwsSettings
from stanch.responder.providers.setting import Section


class AwsSection(Section, frozen=True):
    """Our own identity comes from boto3's chain; ``accounts`` are those that we may act on."""

    region: str = "us-east-1"
    regions: tuple[str, ...] = ()
    endpoint_url: str = ""
    accounts: tuple[str, ...] = ()
    replacement_secret: str = "stanch/{user}/access-key"  # noqa: S105  # a name, not a value
    probe_sessions: bool = True

    def as_settings(self) -> AwsSettings:
        """As the adapter wants it."""
        return AwsSettings(
            region=self.region,
            endpoint_url=self.endpoint_url or None,
            accounts=self.accounts,
            regions=self.regions,
            secret_template=self.replacement_secret,
            probe=self.probe_sessions,
        )
