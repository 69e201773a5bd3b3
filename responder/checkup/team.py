"""Who works besides us, and whether our clock is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from stanch.responder.bootstrap import ledger_seal
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.clock import rounded, skew
from stanch.responder.domain.heartbeat import Heartbeat
from stanch.responder.store.database import connect
from stanch.responder.store.sql import SqlStore
from stanch.scanner import __version__

_AREA = "workers"
_START = "start `stanch worker`; what waits is found in the store"


def workers(settings: Settings) -> Iterator[Check]:
    """Is there somebody who contains, and somebody who does the rest? For a store of our schema."""
    if not settings.team:
        return
    database, seal = connect(settings.store_url()), ledger_seal(settings)
    store = SqlStore(database, seal=seal, clock=lambda: datetime.now(UTC))
    with closing(store), store.snapshot() as tx:
        found, now = tx.heartbeats.list(), tx.now()
    alive = [each for each in found if each.alive(now)]
    for each in found:
        yield from _one(each, now)
    lanes = {each.lane for each in alive}
    for lane, missing in (("contain", "disables leaked keys"), ("rest", "does the rest")):
        if not lanes & {lane, "all"}:
            yield Check(State.WRONG, _AREA, f"no worker is alive that {missing}", _START)


def _one(sign: Heartbeat, now: datetime) -> Iterator[Check]:
    age = now - sign.seen_at
    said = f"{sign.name}, lane {sign.lane}, stanch {sign.version}, seen {rounded(age)} ago"
    if not sign.alive(now):
        # Not wrong by itself: what it held goes to others. That nobody is left is said apart.
        yield Check(State.GOOD, _AREA, f"{said}: dead or hung", "if it should work, restart it")
    elif sign.version != __version__:
        yield Check(State.WRONG, _AREA, f"{said}; this is {__version__}", "upgrade all or none")
    elif not sign.broker:
        yield Check(
            State.WRONG,
            _AREA,
            f"{said}; it does not reach the broker and finds its work in the store",
            "start the broker, or correct [broker] url and password where it runs",
        )
    else:
        yield Check(State.GOOD, _AREA, said)


def clock(settings: Settings) -> Iterator[Check]:
    """Does the store's server, by whose time all instants are, agree with this machine?"""
    database = connect(settings.store_url())
    try:
        with database.reading() as connection:
            before = datetime.now(UTC)
            theirs = database.now(connection)
            after = datetime.now(UTC)
    finally:
        database.close()
    if theirs is not None:
        yield skew("store", f"{database.name}'s clock", theirs, (before, after))
