"""Rotations with a real PostgreSQL and the emulator's Secrets Manager, killed everywhere."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from stanch.responder.lab.aws import AwsLab
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.lifecycle.cache.announcement import Unshared
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import Described, Present, Stage
from stanch.responder.lifecycle.model.error import SecretConflict, Unsupported
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.model.revoked import revoked
from stanch.responder.lifecycle.rotation.course import Rotation
from stanch.responder.lifecycle.rotation.plain import Check, Plain
from stanch.responder.lifecycle.rotation.postgresql import Postgresql
from stanch.responder.lifecycle.rotation.record import LedgerRotations
from stanch.responder.lifecycle.rotation.revocation import Revocation
from stanch.responder.lifecycle.rotation.rotator import RotationFailed, Rotator
from stanch.responder.store.sql import SqlStore, open_store
from stanch.scanner.model.secret import SecretValue
from tests.contracts.conftest import Server, postgres
from tests.contracts.secret_store import Hands, hands, secrets_manager

__all__ = ["postgres"]
pytestmark = pytest.mark.xdist_group("postgres")
BOUNDARIES = (
    *("begun", "put", "pending", "accepted", "tested"),
    *("promoted", "told", "annotated", "done"),
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def hands_in_aws() -> Iterator[Hands]:
    with AwsLab.start(propagation=timedelta(0)) as lab, hands(lab) as made:
        yield made


@pytest.fixture(scope="module")
def database(postgres: Server) -> Server:
    """A database that wants passwords, of everybody but its administrator."""
    postgres.create("rotated")
    rules = postgres.home / "data" / "pg_hba.conf"
    text = rules.read_text()
    own = "local rotated postgres trust\nlocal rotated all scram-sha-256\n"
    with rules.open("r+") as file:  # it keeps its owner
        file.write(own + text)
    postgres.run(sql.SQL("SELECT pg_reload_conf()"))
    return postgres


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One secret with its user, and what rotates it."""

    rotation: Rotation
    reference: Reference
    store: SqlStore

    def value(self) -> SecretValue:
        found = self.rotation.source.read(self.reference)
        assert isinstance(found, Present)
        return found.value

    def look(self) -> Described:
        found = self.rotation.source.describe(self.reference)
        assert isinstance(found, Described)
        return found

    def marks(self) -> list[str]:
        with self.store.snapshot() as tx:
            return [e.event.action for e in tx.ledger.entries() if "rotation." in e.event.action]

    def killed_at(self, boundary: str) -> Rotation:
        def trace(at: str) -> None:
            if at == boundary:
                raise Killed

        return replace(self.rotation, trace=trace)


Made = Callable[[Rotator, str], Desk]


@pytest.fixture
def desk(hands_in_aws: Hands, tmp_path: Path) -> Iterator[Made]:
    case = secrets_manager(hands_in_aws)
    seal = LedgerSeal(SecretValue(os.urandom(32)))
    with open_store(f"sqlite:///{tmp_path}/stanch.db", seal=seal) as store:

        def make(rotator: Rotator, value: str) -> Desk:
            reference = parse(f"secret://{case.service}/prod/db/{secrets.token_hex(4)}")
            case.plant(reference, value, {"stanch:owner": "team"})
            rotation = Rotation(
                source=case.backend,
                rotator=rotator,
                record=LedgerRotations(store),
                announcer=Unshared(within=timedelta(0)),
                fingerprint=lambda _: "v1:0",
                by=Asker(actor="alice", where="here"),
                ticket="CHG-1",
            )
            return Desk(rotation=rotation, reference=reference, store=store)

        yield make


@pytest.fixture
def pair(database: Server, desk: Made) -> Desk:
    """A user of its own, with a password, whose URL is the secret."""
    user, password = f"app_{secrets.token_hex(4)}", secrets.token_hex(16)
    database.run(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(user), sql.Literal(password)
        )
    )
    boss = SecretValue(database.url("rotated").encode())
    url = database.url("rotated", role=f"{user}:{password}")
    return desk(Postgresql(admin=boss), url)


def connects(url: SecretValue) -> bool:
    try:
        with psycopg.connect(url.reveal().decode()):
            return True
    except psycopg.OperationalError:
        return False


def test_the_old_and_the_new_user_both_work_until_the_old_one_is_retired(pair: Desk) -> None:
    first = pair.value()
    outcome = pair.rotation.rotate(pair.reference)
    second = pair.value()
    assert second.reveal() != first.reveal()
    assert connects(first)
    assert connects(second)
    assert "works until it is retired" in outcome.open
    assert pair.look().tags["stanch:last-rotated"] > f"{datetime.now(UTC):%Y-%m-%dT}"
    with pytest.raises(SecretConflict, match="consumers may still use the old value"):
        pair.rotation.rotate(pair.reference)
    retired = pair.rotation.repair(pair.reference, now=True)
    assert "is refused" in retired.done[0]
    assert not connects(first)
    assert connects(second)
    pair.rotation.rotate(pair.reference)  # and back to the first user, with another password
    assert connects(pair.value())
    assert not connects(first)
    assert pair.marks()[-4:] == [
        *("rotation.retired", "rotation.begun", "rotation.pending", "rotation.done"),
    ]


def test_the_pair_owns_the_same(pair: Desk) -> None:
    with psycopg.connect(pair.rotation.rotator.admin.reveal().decode()) as boss:  # type: ignore[attr-defined]  # Postgresql
        boss.execute("GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC")
    table = sql.Identifier(f"t_{secrets.token_hex(4)}")
    pair.rotation.rotate(pair.reference)
    with psycopg.connect(pair.value().reveal().decode()) as clone:
        clone.execute(sql.SQL("CREATE TABLE {} (n int)").format(table))
    pair.rotation.repair(pair.reference, now=True)
    pair.rotation.rotate(pair.reference)
    with psycopg.connect(pair.value().reveal().decode()) as first:
        first.execute(sql.SQL("ALTER TABLE {} ADD m int").format(table))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_whoever_is_killed_leaves_a_value_that_works_and_repair_ends_it(
    pair: Desk, boundary: str
) -> None:
    before = pair.value()
    with pytest.raises(Killed):
        pair.killed_at(boundary).rotate(pair.reference)
    assert connects(before)
    assert connects(pair.value())
    pair.rotation.repair(pair.reference)
    after = pair.value()
    assert (after.reveal() == before.reveal()) is (boundary == "begun")
    assert connects(after)
    assert pair.look().at(Stage.PENDING) is None
    pair.rotation.repair(pair.reference, now=True)
    assert connects(after)
    assert connects(before) is (boundary == "begun")
    assert "nothing is open" in pair.rotation.repair(pair.reference).done


@pytest.mark.parametrize("boundary", ["refused", "retired"])
def test_whoever_is_killed_while_the_old_value_is_retired_is_followed_up(
    pair: Desk, boundary: str
) -> None:
    before = pair.value()
    pair.rotation.rotate(pair.reference)
    with pytest.raises(Killed):
        pair.killed_at(boundary).repair(pair.reference, now=True)
    pair.rotation.repair(pair.reference, now=True)
    assert not connects(before)
    assert connects(pair.value())
    assert pair.marks().count("rotation.retired") == 1


def check(code: int) -> Check:
    return Check(command=(sys.executable, "-c", f"import sys; sys.stdin.read(); sys.exit({code})"))


@pytest.mark.parametrize("boundary", ["", "taken back", "withdrawn"])
def test_a_value_that_does_not_work_is_taken_back(desk: Made, boundary: str) -> None:
    failing = desk(Plain(check=check(1)), "the-value-before")
    with pytest.raises(Killed if boundary else RotationFailed):
        failing.killed_at(boundary).rotate(failing.reference)
    if boundary == "taken back":
        with pytest.raises(RotationFailed):
            failing.rotation.repair(failing.reference)
    elif boundary:
        failing.rotation.repair(failing.reference)
    assert failing.value().reveal() == b"the-value-before"
    assert failing.look().at(Stage.PENDING) is None
    assert failing.marks()[-1] == "rotation.rolled_back"


def test_a_value_that_a_person_brings_is_tried_and_its_pending_version_can_be_withdrawn(
    desk: Made,
) -> None:
    given = SecretValue(secrets.token_hex(16).encode())
    mine = desk(Plain(given=given, check=check(0)), "the-value-before")
    with pytest.raises(Killed):
        mine.killed_at("pending").rotate(mine.reference)
    with pytest.raises(SecretConflict, match="a rotation of it is not finished"):
        mine.rotation.rotate(mine.reference)
    mine.rotation.repair(mine.reference, withdraw=True)
    assert mine.value().reveal() == b"the-value-before"
    outcome = mine.rotation.rotate(mine.reference)
    assert "exits with 0" in outcome.done[0]
    assert mine.value().reveal() == given.reveal()


def test_no_value_is_in_the_record(pair: Desk) -> None:
    before = pair.value()
    pair.rotation.rotate(pair.reference)
    with pair.store.snapshot() as tx:
        said = repr([entry.event for entry in tx.ledger.entries()])
    for value in (before, pair.value()):
        assert value.reveal().decode().partition("@")[0].rpartition(":")[2] not in said


def test_a_store_without_compare_and_set_rotates_nothing(desk: Made, hands_in_aws: Hands) -> None:
    from stanch.responder.lifecycle.backends.parameter_store import (  # noqa: PLC0415
        ParameterStore,
    )

    plain = desk(Plain(), "the-value-before")
    racing = replace(plain.rotation, source=ParameterStore(hands_in_aws.admin))
    with pytest.raises(Unsupported, match="parameter-store cannot promote by compare-and-set: "):
        racing.rotate(plain.reference)


def revocation(desk: Desk) -> Revocation:
    whole = desk.rotation
    return Revocation(
        source=whole.source,
        rotator=whole.rotator,
        record=whole.record,
        announcer=whole.announcer,
        by=whole.by,
    )


def test_a_revoked_user_is_refused_with_its_whole_pair_and_repeating_it_is_harmless(
    pair: Desk,
) -> None:
    before = pair.value()
    pair.rotation.rotate(pair.reference)
    now = pair.value()
    connected = psycopg.connect(now.reveal().decode())
    for _ in range(2):
        outcome = revocation(pair).revoke(pair.reference, "it leaked")
        assert "is refused by the server" in outcome.done[-1]
        assert not connects(before)
        assert not connects(now)
    with pytest.raises(psycopg.OperationalError):
        connected.execute("SELECT 1")
    assert "it leaked" in revoked(pair.look().tags)


def test_what_is_revoked_only_with_us_is_said_to_be_open_and_can_be_given_again(
    desk: Made,
) -> None:
    mine = desk(Plain(), "the-value-before")
    outcome = revocation(mine).revoke(mine.reference, "it leaked <today>")
    assert any("only its provider can end it" in each for each in outcome.left)
    assert revoked(mine.look().tags).endswith("it leaked today")
    revocation(mine).restore(mine.reference, "a false alarm")
    assert not revoked(mine.look().tags)
    mine.rotation.rotate(mine.reference)
    assert mine.rotation.repair(mine.reference).open  # the revocation has hidden nothing of it
