"""What runs beside us: the store, the record in it, the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from stanch.responder.bootstrap import ledger_seal, master_key, notary
from stanch.responder.checkup.local import barred
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.error import VaultError
from stanch.responder.services.anchoring import BEGUN
from stanch.responder.services.integrity import all_discrepancies
from stanch.responder.services.people import differing
from stanch.responder.store.database import Database, connect
from stanch.responder.store.schema import HEAD, current
from stanch.responder.store.sql import SqlStore
from stanch.responder.vault.master import missing, parse_master_key, require_same
from stanch.responder.worker.app import make_app
from stanch.responder.worker.broker import BrokerError, reach

_MOST_NAMED = 5


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


def rights(settings: Settings) -> Iterator[Check]:
    """May our role do no more than it needs? Call it for a store that has our schema."""
    database = connect(settings.store_url())
    try:
        with database.reading() as connection:
            found = database.excess(connection)
    finally:
        database.close()
    if found:
        more = f", and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        said = f"the role of [store] url {', '.join(found[:_MOST_NAMED])}{more}: whoever has its "
        yield Check(
            State.WRONG,
            "store",
            f"{said}password can rewrite the record and plant triggers",
            "as the owner run `stanch store prepare --role ROLE`, and use ROLE in [store] url",
        )
    elif database.engine.dialect.name == "postgresql":
        said = "its role adds to the record, and can neither change it nor the tables"
        yield Check(State.GOOD, "store", said)


def record(settings: Settings) -> Iterator[Check]:
    """Does the record continue its newest anchor? Call it for a store that has our schema."""
    seal = ledger_seal(settings)
    signer = notary(settings, seal)
    database = connect(settings.store_url())
    with closing(SqlStore(database, seal=seal, clock=lambda: datetime.now(UTC))) as opened:
        yield from _sealed(settings, opened)
        yield from _compared(settings, opened)
        head = opened.head()
        for file in signer.files:
            lines = file.lines()
            if not lines:
                with opened.snapshot() as tx:
                    lost = tx.ledger.newest(BEGUN) is not None
                state = State.WRONG if lost else State.GOOD
                said = "the anchors are gone:" if lost else "no anchor yet in"
                remedy = "`stanch audit verify` says more" if lost else ""
                yield Check(state, "ledger", f"{said} {file.path}", remedy)
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


def _sealed(settings: Settings, opened: SqlStore) -> Iterator[Check]:
    """The master key is the one that what is stored was sealed under."""
    reference = master_key(settings)
    with opened.snapshot() as tx:
        sealed_under = tx.envelopes.master_keys()
    if not reference.startswith("file:") or missing(reference) or not sealed_under:
        return
    name = parse_master_key(reference).name
    try:
        require_same(name, sealed_under)
    except VaultError as error:
        yield Check(State.WRONG, "vault", str(error), error.remedy)
        return
    yield Check(State.GOOD, "vault", f"what is sealed was sealed under this master key ({name})")


def _compared(settings: Settings, opened: SqlStore) -> Iterator[Check]:
    """Rows against the record, what acts on the tables besides us, and who counts as a person."""
    with opened.snapshot() as tx:
        found = (*opened.intruders(), *all_discrepancies(tx))
        fewer = differing(tx, settings.persons())
    for each in found[:_MOST_NAMED]:
        yield Check(
            State.WRONG,
            "ledger",
            f"TAMPERED: {each}",
            "run `stanch audit verify`; it names everything, and what to do",
        )
    for name in fewer:
        yield Check(
            State.WRONG,
            "people",
            f"{name} stands in stanch.toml otherwise than on the record, and counts for less",
            "if that is right, somebody who is on the record runs `stanch audit people --seal`",
        )


def broker(settings: Settings) -> Iterator[Check]:
    """Does the broker answer, and does it keep messages over a restart?"""
    if not settings.team:
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
