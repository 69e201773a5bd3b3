"""The table of a provider in ``stanch.toml``."""

from __future__ import annotations

import msgspec


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys with types and defaults. Secrets are references, never values."""
