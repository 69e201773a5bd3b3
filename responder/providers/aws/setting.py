"""The ``[aws]`` table of ``stanch.toml``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec

from stanch.responder.providers.aws.adapter.client import AwsSettings
from stanch.responder.providers.setting import Section


class AwsSection(Section, frozen=True):
    """Our own identity comes from boto3's chain; ``accounts`` are those that we may act on.

    ``regions``: where the trail is searched; none: every enabled Region. ``protected``: patterns
    over the ARNs of users that no report may touch without people. ``trail_lag_seconds``: how late
    CloudTrail may deliver. ``replacement_secret``: see docs/runbooks.md; none by default.
    """

    region: str = "us-east-1"
    regions: tuple[str, ...] = ()
    endpoint_url: str = ""
    accounts: tuple[str, ...] = ()
    replacement_secret: str = ""
    probe_sessions: bool = True
    protected: tuple[str, ...] = ()
    trail_lag_seconds: Annotated[float, msgspec.Meta(ge=0)] = 900.0

    def as_settings(self) -> AwsSettings:
        """As the adapter wants it."""
        return AwsSettings(
            region=self.region,
            endpoint_url=self.endpoint_url or None,
            accounts=self.accounts,
            regions=self.regions,
            secret_template=self.replacement_secret,
            probe=self.probe_sessions,
            protected=self.protected,
            lag=timedelta(seconds=self.trail_lag_seconds),
        )
