"""Composition root: the only room that knows every adapter."""

from __future__ import annotations

from stanch.responder.bootstrap.house import House, open_house
from stanch.responder.bootstrap.part import Part
from stanch.responder.bootstrap.setting import (
    installed_runbooks,
    ledger_seal,
    master_key,
    notary,
    slack_settings,
)

__all__ = [
    "House",
    "Part",
    "installed_runbooks",
    "ledger_seal",
    "master_key",
    "notary",
    "open_house",
    "slack_settings",
]
