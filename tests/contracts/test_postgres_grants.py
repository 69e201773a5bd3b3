"""What the application's role and the reader's cannot do on a real PostgreSQL.

That they can do all they need is shown by the contract, which runs under the application's role.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner, Result

from stanch.responder.checkup import server as checkup
from stanch.responder.checkup import team
from stanch.responder.cli.store import command
from stanch.responder.config import load
from stanch.responder.domain.check import State
from stanch.responder.domain.error import StoreError
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.grant import NOTICER, READER, WRITER
from stanch.responder.store.sql import open_store, read_store
from stanch.responder.store.table import metadata
from stanch.responder.watch.hook.door import HookDoor
from stanch.responder.watch.setting import WatchSection, watched
from stanch.scanner.model.secret import SecretValue

if TYPE_CHECKING:
    from tests.contracts.conftest import Server

pytestmark = pytest.mark.xdist_group("postgres")
DATABASE = "granted"
SEAL = LedgerSeal(SecretValue(bytes(32)))
FORBIDDEN = (
    "UPDATE ledger SET actor = 'somebody'",
    "DELETE FROM ledger",
    "TRUNCATE ledger",
    "DELETE FROM approvals",
    "DELETE FROM incidents",
    "UPDATE envelopes SET ciphertext = ''",
    "ALTER TABLE ledger ADD COLUMN note text",
    "ALTER TABLE approvals DROP COLUMN mark",
    "ALTER TABLE ledger OWNER TO stanch",
    "ALTER TABLE ledger DISABLE TRIGGER ALL",
    "ALTER TABLE approvals ENABLE ROW LEVEL SECURITY",
    "DROP TABLE ledger",
    "CREATE TRIGGER t BEFORE INSERT ON approvals EXECUTE FUNCTION pg_notify()",
    "CREATE RULE r AS ON INSERT TO ledger DO INSTEAD NOTHING",
    "CREATE VIEW public.v AS SELECT 1",
    "CREATE TABLE public.t (id integer)",
    "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE TEMPORARY TABLE ledger (seq integer)",
    "CREATE SCHEMA stanch",
    "UPDATE schema_version SET version_num = '0002'",
    "CREATE ROLE other",
    "SET ROLE postgres",
    "SET session_replication_role = replica",
    "COPY ledger TO PROGRAM 'cat'",
)


@pytest.fixture(scope="module")
def granted(migrated: Server) -> Server:
    """A database that was prepared in place, as an installation has it."""
    migrated.create(DATABASE)
    roles = ("--role", "stanch", "--reader", "stanch_web", "--hooks", "stanch_hooks")
    done = prepared(migrated, *roles)
    assert "stanch may work with it" in done.output
    assert "stanch_web may read it" in done.output
    url = migrated.url(DATABASE, "stanch")
    with open_store(url, seal=SEAL) as store, store.transaction() as tx:
        event = Event(at=tx.now(), actor="t", action="test.done", incident=None, detail={})
        tx.ledger.append(event)
    return migrated


def prepared(server: Server, *arguments: str) -> Result:
    done = CliRunner().invoke(
        command, ["prepare", *arguments], env={"STANCH_STORE_URL": server.url(DATABASE)}
    )
    assert done.exit_code == 0, done.output
    return done


def refused(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            connection.rollback()
    return False


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_applications_role_cannot_change_what_it_rests_on(
    granted: Server, statement: str
) -> None:
    assert refused(granted.url(DATABASE, "stanch"), statement)
    assert not refused(granted.url(DATABASE), "SELECT 1")  # the control


def test_the_reader_can_read_what_is_shown_and_nothing_that_is_sealed(granted: Server) -> None:
    url = granted.url(DATABASE, "stanch_web")
    tables = {*metadata.tables, "schema_version"}
    unread = {name for name in tables if refused(url, f"SELECT * FROM {name}")}  # noqa: S608  # our tables
    assert unread == {"envelopes"}
    for name in tables:
        for statement in (f"DELETE FROM {name}", f"INSERT INTO {name} DEFAULT VALUES"):  # noqa: S608  # our tables
            assert refused(url, statement), statement


def test_the_webhooks_door_can_say_that_there_is_news_and_nothing_else(granted: Server) -> None:
    url = granted.url(DATABASE, "stanch_hooks")
    tables = {*metadata.tables, "schema_version"}
    read = {name for name in tables if not refused(url, f"SELECT * FROM {name}")}  # noqa: S608  # our tables
    assert read == set(NOTICER)
    for name in tables:
        assert refused(url, f"DELETE FROM {name}")  # noqa: S608  # as above
        added = not refused_by_right(url, f"INSERT INTO {name} DEFAULT VALUES")  # as above
        assert added is ("INSERT" in NOTICER.get(name, ())), name
    assert refused(url, "UPDATE incidents SET state = 'closed'")
    with read_store(url, seal=SEAL, notices=True) as store:
        section = WatchSection(kind="gitlab", of="acme", secret="env:X")
        door = HookDoor(
            store=store,
            watches={"acme": watched("acme", section)},
            read=lambda *_: SecretValue(b"token"),
        )
        project = {"path_with_namespace": "acme/app", "http_url": "https://gitlab.com/acme/app.git"}
        body = json.dumps({"project": project}).encode()
        headers = {"x-gitlab-event": "Push Hook", "x-gitlab-token": "token"}
        assert [door.take("acme", headers, body)[0] for _ in range(2)] == [202, 200]
        with store.snapshot() as tx:
            assert sorted(each.kind for each in tx.sources.list()) == ["git", "owner"]


def refused_by_right(url: str, statement: str) -> bool:
    """The same of a statement that may be wrong otherwise: a row that lacks values."""
    try:
        return refused(url, statement)
    except psycopg.errors.IntegrityError:
        return False


def test_every_table_is_granted() -> None:
    assert set(WRITER) == {*metadata.tables, "schema_version"} == {*READER, "envelopes"}


def test_other_roles_of_the_server_do_not_even_come_in(granted: Server) -> None:
    name = f"guest_{os.urandom(4).hex()}"
    granted.run(psycopg.sql.SQL("CREATE ROLE {} LOGIN").format(psycopg.sql.Identifier(name)))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(granted.url(DATABASE, name))


def test_the_servers_clock_is_compared_with_ours(
    granted: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCH_STORE_URL", granted.url(DATABASE, "stanch"))
    (check,) = team.clock(load())
    assert check.state is State.GOOD
    assert "agrees with this machine's" in check.what


def checked(server: Server, role: str, *, monkeypatch: pytest.MonkeyPatch) -> tuple[State, str]:
    monkeypatch.setenv("STANCH_STORE_URL", server.url(DATABASE, role))
    (check,) = checkup.rights(load())
    return check.state, check.what


def test_doctor_tells_an_owner_from_an_application(
    granted: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, said = checked(granted, "stanch", monkeypatch=monkeypatch)
    assert state is State.GOOD, said
    state, said = checked(granted, "postgres", monkeypatch=monkeypatch)
    assert state is State.WRONG
    assert "is a superuser" in said


@pytest.mark.parametrize(
    ("given", "taken", "said"),
    [
        ("GRANT UPDATE ON ledger TO stanch", "REVOKE UPDATE ON ledger FROM stanch", "UPDATE"),
        (
            "GRANT UPDATE (detail) ON ledger TO stanch",
            "REVOKE UPDATE (detail) ON ledger FROM stanch",
            "UPDATE columns of ledger",
        ),
        ("GRANT TRIGGER ON runs TO stanch", "REVOKE TRIGGER ON runs FROM stanch", "TRIGGER"),
        (
            "GRANT CREATE ON SCHEMA public TO stanch",
            "REVOKE CREATE ON SCHEMA public FROM stanch",
            "make tables",
        ),
        (
            "GRANT pg_write_server_files TO stanch",
            "REVOKE pg_write_server_files FROM stanch",
            "pg_write_server_files",
        ),
        (
            "ALTER TABLE runs OWNER TO stanch",
            "ALTER TABLE runs OWNER TO postgres",
            "owns the table runs",
        ),
    ],
)
def test_doctor_names_each_right_that_is_too_much(
    granted: Server, monkeypatch: pytest.MonkeyPatch, given: str, taken: str, said: str
) -> None:
    with psycopg.connect(granted.url(DATABASE), autocommit=True) as owner:
        owner.execute(given.encode())
        try:
            state, what = checked(granted, "stanch", monkeypatch=monkeypatch)
        finally:
            owner.execute(taken.encode())
    assert state is State.WRONG
    assert said in what
    # Preparing again takes what is too much, and changes nothing else.
    prepared(granted, "--role", "stanch")
    assert checked(granted, "stanch", monkeypatch=monkeypatch)[0] is State.GOOD


def test_a_password_is_set_and_stands_in_no_statement(granted: Server) -> None:
    password = os.urandom(16).hex()
    log = granted.home / "log"
    with psycopg.connect(granted.url("postgres"), autocommit=True) as owner:
        owner.execute("ALTER SYSTEM SET log_statement = 'all'")
        owner.execute("SELECT pg_reload_conf()")
        try:
            os.environ["STANCH_TEST_WORD"] = password
            prepared(granted, "--role", "app-2", "--role-password", "env:STANCH_TEST_WORD")
        finally:
            del os.environ["STANCH_TEST_WORD"]
            owner.execute("ALTER SYSTEM RESET log_statement")
            owner.execute("SELECT pg_reload_conf()")
        row = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'app-2'").fetchone()
    assert row is not None
    assert str(row[0]).startswith("SCRAM-SHA-256$")
    said = log.read_text(errors="replace")
    assert "CREATE ROLE" in said
    assert password not in said


def test_the_grants_can_be_printed_for_somebody_else_to_run(granted: Server) -> None:
    done = CliRunner().invoke(
        command,
        ["prepare", "--role", "stanch", "--sql"],
        env={"STANCH_STORE_URL": granted.url(DATABASE)},
    )
    assert "GRANT SELECT, INSERT ON" in done.output
    with psycopg.connect(granted.url(DATABASE)) as owner:
        for statement in done.output.splitlines():
            owner.execute(statement.encode())


def test_an_old_schema_is_not_migrated_by_the_application(migrated: Server) -> None:
    name = f"empty_{os.urandom(6).hex()}"
    migrated.create(name)
    with pytest.raises(StoreError, match="permission denied") as caught:
        open_store(migrated.url(name, "stanch"), seal=SEAL)
    assert "stanch store prepare" in caught.value.remedy


def test_a_store_in_a_file_has_no_roles(tmp_path: object) -> None:
    done = CliRunner().invoke(
        command,
        ["prepare", "--role", "stanch"],
        env={"STANCH_STORE_URL": f"sqlite:///{tmp_path}/stanch.db"},
    )
    assert "no roles" in str(done.exception)
