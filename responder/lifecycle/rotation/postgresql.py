"""Users of PostgreSQL in alternating pairs: ``app`` and ``app_clone``, one of them current.

The value is a connection URL. The other user of the pair gets a new password while the current one
goes on, so no consumer fails between its old and its new value. The clone is a member of the first
and acts as it (``SET ROLE``), so that both see and own the same. Passwords reach the server as
SCRAM verifiers (RFC 5802), not in the clear: its log may keep statements.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg import sql

from stanch.responder.lifecycle.rotation.rotator import RotationFailed
from stanch.scanner.model.secret import SecretValue

_CLONE = "_clone"
_LONGEST = 63  # bytes of a role's name
_PATIENCE = 10  # seconds until a server must answer
_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgresql:
    """``admin`` is the URL of a user that may create roles and set their passwords."""

    admin: SecretValue

    name = "postgresql"

    def fresh(self, current: SecretValue) -> SecretValue:
        """The URL of the pair's other user, with a new password."""
        return _with_user(current, _other(_user(current)), secrets.token_urlsafe(32))

    def put(self, fresh: SecretValue, current: SecretValue) -> None:
        """The other user exists, may what the current one may, and has the new password."""
        user, first = _user(fresh), _first(_user(current))
        names = {"user": sql.Identifier(user), "first": sql.Identifier(first)}
        with self._connected() as connection, connection.transaction():
            there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
            if user != first:
                if there.fetchone() is None:
                    connection.execute(sql.SQL("CREATE ROLE {user} INHERIT").format(**names))
                connection.execute(sql.SQL("GRANT {first} TO {user}").format(**names))
                connection.execute(sql.SQL("ALTER ROLE {user} SET role TO {first}").format(**names))
            password = connection.pgconn.encrypt_password(
                _password(fresh), user.encode(), b"scram-sha-256"
            ).decode()
            connection.execute(
                sql.SQL("ALTER ROLE {user} LOGIN PASSWORD {password}").format(
                    password=sql.Literal(password), **names
                )
            )

    def test(self, fresh: SecretValue) -> str:
        """A new connection with the new value."""
        try:
            with _connect(fresh) as connection:
                who = connection.execute("SELECT session_user, current_user").fetchone()
        except psycopg.Error as error:
            raise _failed("the new value opens no connection", error) from None
        return f"connected as {who[0] if who else '?'}, acting as {who[1] if who else '?'}"

    def take_back(self, fresh: SecretValue, current: SecretValue) -> None:
        """The other user has no password any more."""
        del current
        self._close(_user(fresh))

    def end(self, current: SecretValue) -> str:
        """Neither user of the pair has a password or a connection; the value was tried."""
        user = _user(current)
        ended = sum(self._close(each) for each in (user, _other(user)))
        try:
            with _connect(current):
                pass
        except psycopg.OperationalError:
            with self._connected():  # the server answers: it is this user that it refuses
                return f"{user} is refused by the server, {ended} connections were ended"
        raise _trusted(user)

    def retire(self, old: SecretValue, current: SecretValue) -> str:
        """The old user has no password and no connection; it was tried."""
        if _user(old) == _user(current):
            return f"{_user(old)} has another password since"
        ended = self._close(_user(old))
        try:
            with _connect(old):
                pass
        except psycopg.OperationalError:
            seen = self.test(current)  # the server answers: it is the old user that it refuses
            return f"{_user(old)} is refused ({seen}), {ended} of its connections were ended"
        raise _trusted(_user(old))

    def _close(self, user: str) -> int:
        """Without a password nobody logs in as this user; who is connected is ended."""
        with self._connected() as connection, connection.transaction():
            there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
            if there.fetchone() is None:
                return 0
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(sql.Identifier(user)))
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s",
                [user],
            ).fetchone()
        return int(ended[0]) if ended else 0

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            with _connect(self.admin) as connection:
                yield connection
        except psycopg.Error as error:
            raise _failed("the administrator's user could not do it", error) from None


def _connect(url: SecretValue) -> psycopg.Connection:
    return psycopg.connect(url.reveal().decode(), autocommit=True, connect_timeout=_PATIENCE)


def _parts(url: SecretValue) -> tuple[str, str, str]:
    """User and password as they stand, and where they go."""
    text = url.reveal().decode("utf-8", "replace")
    parts = urlsplit(text)
    held, _, place = parts.netloc.rpartition("@")
    user, _, password = held.partition(":")
    if parts.scheme not in _SCHEMES or not user:
        raise RotationFailed(
            "the value is no connection URL with a user",
            remedy="store it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        )
    return user, password, place


def _user(url: SecretValue) -> str:
    return unquote(_parts(url)[0])


def _password(url: SecretValue) -> bytes:
    return unquote(_parts(url)[1]).encode()


def _with_user(url: SecretValue, user: str, password: str) -> SecretValue:
    held = f"{quote(user, safe='')}:{quote(password, safe='')}@{_parts(url)[2]}"
    return SecretValue(urlsplit(url.reveal().decode())._replace(netloc=held).geturl().encode())


def _first(user: str) -> str:
    return user.removesuffix(_CLONE)


def _other(user: str) -> str:
    other = _first(user) if user.endswith(_CLONE) else user + _CLONE
    if len(other.encode()) > _LONGEST:
        raise RotationFailed(
            f"the user {user} has too long a name for a clone",
            remedy=f"name it in {_LONGEST - len(_CLONE)} bytes at most",
        )
    return other


def _trusted(user: str) -> RotationFailed:
    return RotationFailed(
        f"the user {user} still connects without its password",
        remedy="look at the server's pg_hba.conf: it trusts whoever comes from here",
    )


def _failed(what: str, error: psycopg.Error) -> RotationFailed:
    why = error.diag.message_primary or type(error).__name__
    return RotationFailed(
        f"{what}: {why}", remedy="the old value is current as before; mend that, then rotate again"
    )
