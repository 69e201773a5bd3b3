"""The cache of an application's place, joined from the configuration."""

from __future__ import annotations

import msgspec

from stanch.responder.config import Settings
from stanch.responder.lifecycle.cache.announcement import RedisAnnouncer, Unshared
from stanch.responder.lifecycle.cache.cache import Cache
from stanch.responder.lifecycle.cache.opening import open_announcer, open_cache
from stanch.responder.lifecycle.model.segregation import Place

KEY = "cache.key"


def keeping(settings: Settings, place: Place) -> Cache | None:
    """Where what is read is kept; None where nothing is, as in development."""
    section = settings.secrets
    return open_cache(
        settings.cache,
        place.environment,
        url=settings.cache_url(),
        key=settings.reference(settings.cache.key, KEY),
        asked={
            "service": place.service,
            "tenant": place.tenant,
            "stores": " ".join(section.sources()[place.environment]),
            "folder": str(section.at()),
            "aws": msgspec.json.encode(settings.provider("aws")).decode(),
            "openbao": msgspec.json.encode(settings.openbao).decode(),
        },
    )


def announcing(settings: Settings) -> RedisAnnouncer | Unshared:
    """What tells all processes that a secret was rotated, revoked or restored."""
    return open_announcer(settings.cache, url=settings.cache_url())
