"""What runs beside us: the store, the record in it, the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from stanch.responder.bootstrap import ledger_seal, notary
from stanch.responder.checkup.local import barred
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.store.database import Database, connect
from stanch.responder.store.schema import HEAD, current
from stanch.responder.store.sql import SqlStore
from stanch.responder.worker.app import make_app
from stanch.responder.worker.broker import BrokerError, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was found out about the store; ``schema`` None: nothing is in it yet."""

    checks: tuple[Check, ...]
    schema: str | None = None


def store(settings: Settings) -> Stored:
    """Is the store reachable, and of our schema? Creates nothing."""
    if file := _new_file(settings.store.url):
        return Stored(checks=(_to_be_created(file),))
    database = connect(settings.store_url())
    try:
        with database.reading() as connection:
            found = current(connection)
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        why = f"{database.name} cannot be used: {said}"
        remedy = "start it, or correct [store] url and password"
        return Stored(checks=(Check(State.WRONG, "store", why, remedy),))
    finally:
        database.close()
    return Stored(checks=(_schema(database, found),), schema=found)


def record(settings: Settings) -> Iterator[Check]:
    """Does the record continue its newest anchor? Call it for a store that has our schema."""
    seal = ledger_seal(settings)
    signer = notary(settings, seal)
    database = connect(settings.store_url())
    with closing(SqlStore(database, seal=seal, clock=lambda: datetime.now(UTC))) as opened:
        head = opened.head()
        for file in signer.files:
            lines = file.lines()
            if not lines:
                yield Check(State.GOOD, "ledger", f"no anchor yet in {file.path}")
                continue
            anchor = signer.signer.public.read(lines[-1])
            entry = opened.entry(anchor.size)
            if anchor.origin != seal.origin or entry is None or entry.digest != anchor.head:
                yield Check(
                    State.WRONG,
                    "ledger",
                    f"the record does not continue its anchor of {anchor.size} entries",
                    "run `stanch audit verify`; it names what was changed and where",
                )
                continue
            tail = (head.seq if head else 0) - anchor.size
            yield Check(
                State.GOOD, "ledger", f"continues its anchor of {anchor.size} entries, {tail} newer"
            )


def broker(settings: Settings) -> Iterator[Check]:
    """Does the broker answer, and does it keep messages over a restart?"""
    if settings.broker.url.startswith("memory:"):
        said = "memory://: work is done inside each command and `stanch serve`"
        yield Check(State.GOOD, "broker", said)
        return
    app = make_app(settings.broker_url(), sweep_seconds=settings.worker.sweep_seconds)
    try:
        found = reach(app)
    except BrokerError as error:
        yield Check(State.WRONG, "broker", str(error), error.remedy)
        return
    finally:
        app.close()
    yield Check(State.GOOD, "broker", f"{found.name} answers")
    if found.appends is False:
        yield Check(
            State.GOOD,
            "broker",
            "it forgets at a restart: what waits is then found by the next sweep",
            "appendonly yes in its configuration saves that delay",
        )


def _new_file(url: str) -> Path | None:
    """The file of a store that is not there yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return None
    file = Path(parsed.database)
    return None if file.exists() else file


def _to_be_created(file: Path) -> Check:
    bar = barred(file)
    if bar is None:
        return Check(State.GOOD, "store", "the store's file will be created on first use")
    said = f"the store's file {file} cannot be created: {bar} is not writable"
    return Check(State.WRONG, "store", said, "set STANCH_HOME to a directory you may write")


def _schema(database: Database, found: str | None) -> Check:
    if found == HEAD:
        return Check(State.GOOD, "store", f"{database.name}, schema {found}")
    if found is None:
        return Check(State.GOOD, "store", f"{database.name} is empty: tables come on first use")
    if found < HEAD:
        said = f"{database.name} has schema {found}; it becomes {HEAD} on next use"
        return Check(State.GOOD, "store", said, "make a backup first")
    return Check(
        State.WRONG,
        "store",
        f"{database.name} has schema {found}, this stanch knows up to {HEAD}",
        "install the newer stanch that wrote it",
    )
