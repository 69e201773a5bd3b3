"""The search is worth something only if it finds a leak in every place where one could be."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import sqlite3
import string
import urllib.parse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stanch.responder.lab.search import forms, search

Sink = Callable[[Path, str], None]


@pytest.fixture
def value() -> str:
    """Like an AWS secret key: with characters that every encoding changes."""
    alphabet = string.ascii_letters + string.digits
    return "/+" + "".join(secrets.choice(alphabet) for _ in range(38))


def database(path: Path, value: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (a, b BLOB)")
        connection.execute("INSERT INTO t VALUES (1, ?)", (f"key={value};",))


def deleted_row(path: Path, value: str) -> None:
    database(path, value)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")  # some builds zero deleted rows
        connection.execute("DELETE FROM t")


def write_ahead_log(path: Path, value: str) -> None:
    """Written to the log, never folded into the database: as a killed process leaves it."""
    other = path.with_suffix(".other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        connection.commit()
        path.write_bytes(other.with_name(other.name + "-wal").read_bytes())
    for leftover in path.parent.glob("*.other*"):
        leftover.unlink()


def broker_body(offset: int) -> Callable[[str], bytes]:
    """Base64 of a message in which the value starts at any of the three places of a group."""
    return lambda value: base64.b64encode(b"x" * offset + value.encode() + b"tail")


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "a log line": lambda value: f"12:00 client.made secret={value} ok\n".encode(),
    "gzip": lambda value: gzip.compress(f"x {value} x".encode()),
    "JSON": lambda value: json.dumps({"detail": {"value": value}}).encode(),
    "HTML": lambda value: f"<td>&lt;{value}&gt;</td>".encode(),
    "UTF-16": lambda value: f"‹{value}›".encode("utf-16"),
    "a URL": lambda value: f"?key={urllib.parse.quote(value, safe='')}&a=1".encode(),
    "a hex dump": lambda value: f"00ff{value.encode().hex()}00".encode(),
    "reversed": lambda value: value[::-1].encode(),
    **{f"a broker's body at {offset}": broker_body(offset) for offset in range(4)},
}
TABLES: dict[str, Sink] = {
    "a database": database,
    "a deleted row": deleted_row,
    "a write-ahead log": write_ahead_log,
}


@pytest.mark.parametrize("sink", [*WRITTEN, *TABLES])
def test_a_planted_value_is_found_wherever_it_was_written(
    sink: str, value: str, tmp_path: Path
) -> None:
    if sink in WRITTEN:
        (tmp_path / "sink").write_bytes(WRITTEN[sink](value))
    else:
        TABLES[sink](tmp_path / "sink", value)
    result = search([tmp_path], {"the key": value.encode(), "another": b"never-written-anywhere"})
    assert {hit.planted for hit in result.hits} == {"the key"}
    assert {hit.path for hit in result.hits} == {tmp_path / "sink"}


def test_what_holds_a_value_on_purpose_is_left_out(value: str, tmp_path: Path) -> None:
    for name in ("repository/.git/objects/aa", "report", "repository2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(value)
    result = search([tmp_path], {"the key": value.encode()}, without=[tmp_path / "repository"])
    assert {hit.path.name for hit in result.hits} == {"report", "repository2"}
    assert result.files == 2


def test_a_report_of_hits_does_not_repeat_the_value(value: str, tmp_path: Path) -> None:
    (tmp_path / "sink").write_text(value)
    result = search([tmp_path], {"the key": value.encode()})
    assert result.hits
    assert not any(form in repr(result).encode() for form in forms(value.encode()).values())


def test_a_clean_folder_is_clean_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("nothing")
    result = search([tmp_path, tmp_path / "a"], {"the key": secrets.token_bytes(30).hex().encode()})
    assert (result.hits, result.files, result.size) == ((), 2, 14)
