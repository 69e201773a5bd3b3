"""The record alone, for commands that write down who got which secret and do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from stanch.responder.bootstrap.setting import ledger_seal, notary
from stanch.responder.config import Settings
from stanch.responder.keys.folder import close_folder
from stanch.responder.keys.memory import leave_no_core
from stanch.responder.lifecycle.inventory.consumer import GIVEN, consumers
from stanch.responder.lifecycle.model.access import AccessLog
from stanch.responder.lifecycle.resolution.recording import LedgerAccessLog
from stanch.responder.lifecycle.rotation.record import LedgerRotations
from stanch.responder.services.anchoring import Anchoring
from stanch.responder.services.recognising import Recognising
from stanch.responder.store.sql import SqlStore, open_store, read_store

_EMBEDDED = "sqlite:///"


def open_record(settings: Settings, opened: ExitStack) -> SqlStore:
    """The configured store with its ledger; anchored and closed with ``opened``."""
    leave_no_core()
    close_folder(settings.data)
    seal = ledger_seal(settings)
    store = opened.enter_context(closing(open_store(settings.store_url(), seal=seal)))
    opened.callback(Anchoring(store=store, notary=notary(settings, seal)).anchor)
    return store


def open_access_log(settings: Settings, opened: ExitStack) -> AccessLog:
    """Accesses into that ledger."""
    return LedgerAccessLog(open_record(settings, opened))


def open_rotations(settings: Settings, opened: ExitStack) -> LedgerRotations:
    """Rotations in that ledger."""
    return LedgerRotations(open_record(settings, opened))


def open_recognising(settings: Settings, opened: ExitStack) -> Recognising:
    """What links leaks to the inventory."""
    return Recognising(store=open_record(settings, opened))


def recorded_consumers(settings: Settings, since: datetime) -> Mapping[str, tuple[str, ...]] | None:
    """Who was given which secret since then; None when there is no record yet, which none makes.

    Raises StoreError when the store cannot be used, Tampered when the record is not whole.
    """
    url = settings.store_url()
    if url.startswith(_EMBEDDED) and not Path(url.removeprefix(_EMBEDDED)).exists():
        return None
    with closing(read_store(url, seal=ledger_seal(settings))) as store, store.snapshot() as tx:
        return consumers(tx.ledger.since(GIVEN, since))
