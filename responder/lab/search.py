"""Looks for planted values in everything that was written, in every form they could take."""

from __future__ import annotations

import base64
import errno
import gzip
import json
import os
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hyperscan


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A planted value was found. Names the value and its form, never the value."""

    path: Path
    planted: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search read and found."""

    files: int
    size: int  # bytes
    hits: tuple[Hit, ...]


def search(
    roots: Iterable[Path], planted: Mapping[str, bytes], *, without: Sequence[Path] = ()
) -> Result:
    """Read every file below ``roots`` (gzip members unpacked) for every form of every value.

    ``without``: absolute paths of what holds planted values on purpose.
    """
    needles = [
        (name, form, needle)
        for name, value in planted.items()
        for form, needle in forms(value).items()
    ]
    # All at once: a test run plants hundreds of values, each in twelve forms.
    finder = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    finder.compile(
        # Escaped byte by byte: a literal expression would end at the first zero of UTF-16.
        expressions=["".join(f"\\x{byte:02x}" for byte in needle) for _, _, needle in needles],
        ids=list(range(len(needles))),
        flags=hyperscan.HS_FLAG_SINGLEMATCH,
    )
    files = size = 0
    hits: list[Hit] = []
    for path in _files(roots):
        if without and any(path.resolve().is_relative_to(each) for each in without):
            continue
        data = _written(path)
        files, size = files + 1, size + len(data)
        content = data + _unpacked(data)
        hits += [
            Hit(path=path, planted=needles[number][0], form=needles[number][1])
            for number in sorted(_found(finder, content))
        ]
    return Result(files=files, size=size, hits=tuple(hits))


def _found(finder: hyperscan.Database, content: bytes) -> set[int]:
    numbers: set[int] = set()

    def note(number: int, *_: object) -> None:
        numbers.add(number)

    finder.scan(content, match_event_handler=note)
    return numbers


def forms(value: bytes) -> dict[str, bytes]:
    """The value as it may be written: raw, encoded, escaped, wide, reversed."""
    text = value.decode("utf-8", "replace")
    found = {
        "raw": value,
        "hex": value.hex().encode(),
        "url": urllib.parse.quote(text, safe="").encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "utf-16": text.encode("utf-16-le"),
        "reversed": value[::-1],
    }
    for shift in range(3):
        # Base64 depends on where the value starts: drop the characters its neighbours decide.
        encoded = base64.b64encode(b"\0" * shift + value)
        start = (0, 2, 3)[shift]
        found[f"base64+{shift}"] = encoded[start : len(encoded) - 4]
        found[f"base64url+{shift}"] = found[f"base64+{shift}"].translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return found


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        if root.is_file():
            yield root
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _written(path: Path) -> bytes:
    """What was written into the file: its holes hold nothing, however large they say they are."""
    parts = []
    with path.open("rb", buffering=0) as file:
        end, at = os.fstat(file.fileno()).st_size, 0
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break  # nothing but a hole is left
                raise
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            parts.append(os.pread(file.fileno(), at - start, start))
    return b"\0".join(parts)


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return b""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""  # not gzip after all: the raw bytes are searched all the same
