"""The record alone, for commands that write down who got which secret and do nothing else."""

from __future__ import annotations

from contextlib import ExitStack, closing

from stanch.responder.bootstrap.setting import ledger_seal, notary
from stanch.responder.config import Settings
from stanch.responder.keys.folder import close_folder
from stanch.responder.keys.memory import leave_no_core
from stanch.responder.lifecycle.model.access import AccessLog
from stanch.responder.lifecycle.resolution.recording import LedgerAccessLog
from stanch.responder.services.anchoring import Anchoring
from stanch.responder.store.sql import open_store


def open_access_log(settings: Settings, opened: ExitStack) -> AccessLog:
    """The ledger of the configured store; anchored and closed with ``opened``."""
    leave_no_core()
    close_folder(settings.data)
    seal = ledger_seal(settings)
    store = opened.enter_context(closing(open_store(settings.store_url(), seal=seal)))
    anchoring = Anchoring(store=store, notary=notary(settings, seal))
    opened.callback(anchoring.anchor)
    return LedgerAccessLog(store)
