"""On which keys our own identity rests: those that no report may switch off."""

from __future__ import annotations

import os
from collections.abc import Iterator

import botocore.session
from botocore.exceptions import BotoCoreError

_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")


def own_keys(source: botocore.session.Session) -> frozenset[str]:
    """Key ids that boto3's chain signs with; asks nobody.

    A role is assumed with a key further down: disabled, it would end us as surely as our own. What
    stands in other profiles of the same file is not ours.
    """
    return frozenset(key for key in (*_exported(), *_configured(source)) if key)


def _exported() -> Iterator[str]:
    return (os.environ.get(name, "") for name in _ENVIRONMENT)


def _configured(source: botocore.session.Session) -> Iterator[str]:
    """From our profile along its ``source_profile`` to the end of the chain."""
    try:
        profiles = source.full_config.get("profiles", {})
    except BotoCoreError:
        return  # a file that boto3 cannot read gives it no key either
    name, seen = source.profile or "default", set[str]()
    while name and name not in seen:
        seen.add(name)
        profile = profiles.get(name, {})
        yield str(profile.get("aws_access_key_id", ""))
        name = str(profile.get("source_profile", ""))
