"""The rows of an SQLite database, column by column.

The file is never written and nothing of its own is run: no view, no trigger, no function, no
generated column, no virtual table. SQLite reads it in place, or a copy in memory.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import IO

from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces, Text
from stanch.scanner.sources.content.text_or_binary import is_archive, is_binary

LARGEST = 64 << 20
"""Bytes of one that is not a file by itself and has to be held in memory."""
_SECONDS = 20.0
_VALUE = 32 << 20  # bytes: more is not read
_TABLES = 2_000
_STEPS = 20_000  # of SQLite's machine, some ten microseconds
_SHORTEST = 4  # characters of a value that is worth a line
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ))
_COLUMNS = "table_xinfo"
_ORDINARY = 0  # among hidden and generated columns
_HEADER = 100
_NAME = re.compile(rb"[\w.:/-]{1,120}")
_KEYS = re.compile(rb"(?i)(?:\w{1,30}_)?(?:key|name|setting|option|variable)")
_VALUES = re.compile(rb"(?i)(?:\w{1,30}_)?(?:value|val|data|content)")
_LOGGED = (b"\2\2", b"\1\1")  # the versions in the header: with a log, and without


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Each row as lines `column = value`."""
    try:
        with closing(_opened(file)) as base:
            yield from _tables(base, opening)
    except (sqlite3.Error, UnicodeError) as error:
        raise DamagedError(f"damaged or unsupported ({type(error).__name__})") from error


def _opened(file: IO[bytes]) -> sqlite3.Connection:
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        file.seek(0)
        try:
            number = file.fileno()
        except OSError as error:
            raise DamagedError(
                f"of more than {LARGEST >> 20} MiB inside of another file"
            ) from error
        name = f"file:/proc/self/fd/{number}?mode=ro&immutable=1"
        base = sqlite3.connect(name, uri=True, check_same_thread=False)
    else:
        base = sqlite3.connect(":memory:", check_same_thread=False)
        if data[18:20] == _LOGGED[0]:  # in memory there can be no log
            data = data[:18] + _LOGGED[1] + data[20:]
        base.deserialize(data)
        del data
    base.text_factory = bytes
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "query_only=ON"):
        base.execute(f"PRAGMA {pragma}")
    until = time.monotonic() + _SECONDS
    base.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    base.set_authorizer(_authorized)
    return base


def _authorized(action: int, name: str | None, *_: str | None) -> int:
    if action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and name == _COLUMNS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _tables(base: sqlite3.Connection, opening: Opening) -> Pieces:
    made = base.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchmany(
        _TABLES + 1
    )
    text = Text(opening)
    failed = ""
    for name, sql in made[:_TABLES]:
        if sql is None or sql[:14].upper().startswith(b"CREATE VIRTUAL"):
            continue  # what it keeps is in tables of its own
        try:
            yield from _rows(base, name, text, opening)
        except sqlite3.Error as error:
            said = display(name)
            failed = (
                failed or f"the table {said} is damaged or over a bound ({type(error).__name__})"
            )
    yield from text.done()
    if failed or len(made) > _TABLES:
        raise DamagedError(failed or f"has more than {_TABLES} tables")


def _rows(base: sqlite3.Connection, name: bytes, text: Text, opening: Opening) -> Pieces:
    table = _quoted(name)
    columns = [row[1] for row in base.execute(f"PRAGMA {_COLUMNS}({table})") if row[6] == _ORDINARY]
    shown = display(name)
    labels = [(column.replace(b"\n", b" "), display(column)) for column in columns]
    named = _naming(columns)
    wanted = ", ".join(map(_quoted, columns))
    for number, row in _numbered(base, table, wanted):
        for at, ((label, said), value) in enumerate(zip(labels, row, strict=True)):
            if not isinstance(value, bytes) or len(value) < _SHORTEST:
                continue
            called = row[named[at]] if at in named else None
            if isinstance(called, bytes) and _NAME.fullmatch(called):
                label = called  # noqa: PLW2901  # settings: what the value is called
            place = f"{shown}!row {number}.{said}"
            if is_archive(value) or is_binary(value):
                yield from opening.inner(BytesIO(value), place)
            else:
                yield from text.add(place, value, label=label + b" = ")


def _naming(columns: list[bytes]) -> dict[int, int]:
    """Of a table of settings: the column of values, and the one that names them."""
    names = [at for at, column in enumerate(columns) if _KEYS.fullmatch(column)]
    values = [at for at, column in enumerate(columns) if _VALUES.fullmatch(column)]
    return {values[0]: names[0]} if len(names) == len(values) == 1 else {}


def _numbered(
    base: sqlite3.Connection, table: str, wanted: str
) -> Iterator[tuple[int, tuple[object, ...]]]:
    """The rows with their ids; with their order where a table has none."""
    try:
        cursor = base.execute(f"SELECT rowid, {wanted} FROM {table}")  # noqa: S608  # quoted names
    except sqlite3.OperationalError:
        cursor = base.execute(f"SELECT NULL, {wanted} FROM {table}")  # noqa: S608  # as above
    for order, (number, *row) in enumerate(cursor, 1):
        yield number if isinstance(number, int) else order, tuple(row)


def _quoted(name: bytes) -> str:
    return '"' + name.decode().replace('"', '""') + '"'
