"""A fleet's parts, joined: the store and one fingerprint key, without the rest of the house."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta

from stanch.responder.bootstrap.setting import ledger_seal
from stanch.responder.config import Settings
from stanch.responder.fleet.hand import LONGEST, Hand, Trace, UnitLeases
from stanch.responder.keys.folder import close_folder
from stanch.responder.keys.memory import leave_no_core
from stanch.responder.store.sql import SqlStore, open_store
from stanch.scanner.api import FingerprintKey, load_fingerprint_key


def fingerprint_key(settings: Settings, reference: str | None) -> FingerprintKey:
    """The key that ``reference`` names, else that of the configuration, else this user's own."""
    named = reference or settings.scanner.fingerprint_key or None
    return load_fingerprint_key(named, settings.data)


@contextmanager
def open_fleet_store(settings: Settings) -> Iterator[SqlStore]:
    """The store, with the key that marks its rows and no other."""
    leave_no_core()
    close_folder(settings.data)
    with closing(open_store(settings.store_url(), seal=ledger_seal(settings))) as store:
        yield store


def hands(
    settings: Settings,
    reference: str | None = None,
    *,
    history: bool = True,
    trace: Trace = lambda _unit, _boundary: None,
) -> Callable[[str], AbstractContextManager[Hand]]:
    """Opens one worker, in the process that calls; without ``history`` nothing is remembered."""

    @contextmanager
    def opening(name: str) -> Iterator[Hand]:
        length = timedelta(seconds=settings.worker.lease_seconds)
        with (
            open_fleet_store(settings) as store,
            UnitLeases(store, length, patience=LONGEST) as leases,
        ):
            yield Hand(
                store=store,
                leases=leases,
                name=f"{socket.gethostname()}/{name}",
                key=fingerprint_key(settings, reference),
                history=settings.data / "history" if history else None,
                trace=trace,
            )

    return opening
