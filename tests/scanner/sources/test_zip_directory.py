"""A zip whose directory does not tell of all that is in the file is never clean."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scanner.conftest import Outcome, github_token

Scan = Callable[..., Outcome]
_SECRET = f"TOKEN={github_token(1)}\n".encode()
_TEXT = b"hello\n" + _SECRET + b"x = 1\n" * 50


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def _nothing_listed(data: bytes) -> bytes:
    members = data[: data.find(b"PK\1\2")]
    return members + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 0, 0, 0, len(members), 0)


def _said(data: bytes, *, crc: int, packed: int | None, size: int) -> bytes:
    """The directory says something else of the first member."""
    made, at = bytearray(data), data.find(b"PK\1\2")
    struct.pack_into("<L", made, at + 16, crc)
    if packed is not None:
        struct.pack_into("<L", made, at + 20, packed)
    struct.pack_into("<L", made, at + 24, size)
    return bytes(made)


@pytest.mark.parametrize(
    "data",
    [
        zipped(a=_TEXT) + zipped(b=b"hello"),
        zipped(b=b"hello") + _SECRET,
        _nothing_listed(zipped(a=_TEXT)),
        _said(zipped(a=_TEXT), crc=0, packed=0, size=0),
        _said(zipped(a=_TEXT), crc=0, packed=None, size=0),
        _said(zipped(a=_TEXT), crc=zlib.crc32(b"hello\n"), packed=None, size=6),
    ],
    ids=["two", "behind", "unlisted", "empty", "without-size", "shorter"],
)
def test_what_the_directory_hides_makes_the_scan_incomplete(
    scan: Scan, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert scan(tmp_path).incomplete


def test_a_folder_with_content_is_read(scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(**{"a/": _TEXT}))
    outcome = scan(tmp_path)
    assert outcome.secrets == [github_token(1)]
    assert not outcome.incomplete


def test_what_belongs_between_members_is_nothing_hidden(scan: Scan, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a", b"hello")
        made.fp.write(bytes(100) + b"signatures" * 9 + b"APK Sig Block 42")  # type: ignore[union-attr]
        made.start_dir = out.tell()
    (tmp_path / "a.apk").write_bytes(out.getvalue() + b"\n")
    with (tmp_path / "b.zip").open("wb") as file, zipfile.ZipFile(_Pipe(file), "w") as made:
        made.writestr("b", b"sizes stand behind it")
    assert not scan(tmp_path).incomplete


class _Pipe(io.RawIOBase):
    """What cannot be sought: sizes are written behind the members."""

    def __init__(self, file: io.BufferedWriter) -> None:
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)


def test_both_parts_of_a_document_that_are_called_the_same_are_read(
    scan: Scan, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("word/document.xml", f"<a>{_SECRET.decode()}</a>")
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("word/document.xml", "<a>hello</a>")
    assert scan(tmp_path).secrets == [github_token(1)]
