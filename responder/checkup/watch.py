"""What is watched: would its webhooks be believed, and does somebody look?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

from stanch.responder.bootstrap import ledger_seal
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.clock import rounded
from stanch.responder.domain.error import ConfigError
from stanch.responder.keys.reference import secret
from stanch.responder.services.lookout import lookouts
from stanch.responder.store.database import connect
from stanch.responder.store.sql import SqlStore
from stanch.responder.watch.setting import HOSTS, Watched

_AREA = "watch"
_LATE = timedelta(minutes=10)  # a look that takes long is no reason to worry


def watches(settings: Settings) -> Iterator[Check]:
    """Each watch by its name; for a store of our schema."""
    watched = settings.watches()
    if not watched:
        return
    for each in watched.values():
        yield from _webhooks(each)
    database, seal = connect(settings.store_url()), ledger_seal(settings)
    store = SqlStore(database, seal=seal, clock=lambda: datetime.now(UTC))
    with closing(store), store.snapshot() as tx:
        sources, now = tx.sources.list(), tx.now()
    for row in lookouts({each.name: each.subject for each in watched.values()}, sources, (), now):
        if row.late >= _LATE or not row.sources:
            since = f"for {rounded(row.late)}" if row.sources else "yet"
            remedy = "run `stanch watch`, or `stanch serve` as one service"
            yield Check(State.WRONG, _AREA, f"{row.watch}: nobody has looked {since}", remedy)
        elif row.failures:
            said = f"{row.watch}: {len(row.failures)} of {row.sources} not read"
            yield Check(State.WRONG, _AREA, said, f"stanch sources {row.watch}")
        else:
            yield Check(State.GOOD, _AREA, f"{row.watch}: {row.sources} read")


def _webhooks(watched: Watched) -> Iterator[Check]:
    """Whether what a host signs can be judged."""
    if watched.kind not in HOSTS:
        return
    held = [(key, getattr(watched, key)) for key in ("secret", "signing") if getattr(watched, key)]
    if not held:
        yield Check(State.GOOD, _AREA, f"{watched.name}: takes no webhooks (no secret), only looks")
    for key, reference in held:
        try:
            secret(reference, what=f"watch.{watched.name}.{key}")
        except ConfigError as error:
            yield Check(State.WRONG, _AREA, f"{watched.name}: {error}", error.remedy)
