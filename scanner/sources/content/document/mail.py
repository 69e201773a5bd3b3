"""Mails and boxes of mails: the text as it stands, and what is encoded in it as it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from io import BytesIO
from typing import IO

from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.record import replace
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.text_or_binary import WINDOW
from stanch.scanner.sources.content.window import fragments

LARGEST = 64 << 20
"""Bytes of one mail."""
_ENCODED = frozenset(("base64", "quoted-printable", "x-uuencode", "uuencode"))
_NOT_LINES = re.compile(rb"[^\n]+")
_NEXT = re.compile(rb"(?m)^From [^\n]*\d\d:\d\d")
_PARTS = 10_000


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Each mail: its own text without what is encoded, in its place, and the encoded parts."""
    line = 1
    several = False
    for number, whole in enumerate(_mails(file), 1):
        several = several or number > 1
        name = f"message {number}" if several else ""
        try:
            yield from _mail(whole, line, name, opening)
        except (MessageError, LookupError, RecursionError, AttributeError) as error:
            yield from fragments(BytesIO(whole).read, opening.place, len(whole))  # as it stands
            raise DamagedError(f"damaged or unsupported ({type(error).__name__})") from error
        line += whole.count(b"\n")


def _mails(file: IO[bytes]) -> Iterator[bytes]:
    """One mail after the other; lines that begin with `From ` and a time divide them."""
    held = bytearray()
    for line in iter(lambda: file.readline(LARGEST), b""):
        if held and line.startswith(b"From ") and _NEXT.match(line):
            yield bytes(held)
            held.clear()
        held += line
        if len(held) > LARGEST:
            raise DamagedError(f"a mail of more than {LARGEST >> 20} MiB")
    if held:
        yield bytes(held)


def _mail(whole: bytes, line: int, name: str, opening: Opening) -> Pieces:
    inside = f"{name}!" if name else ""
    parts = list(_encoded(message_from_bytes(whole)))
    opening.take(len(whole))
    plain = _without(whole, [raw for _, raw, _ in parts])
    if len(plain) <= WINDOW:
        yield Fragment(data=plain, provenance=opening.place, first_line=line)
    else:
        place = opening.place
        path = f"{place.path}!{name}" if name else place.path
        yield from fragments(BytesIO(plain).read, replace(place, path=path), len(plain))
    for called, _, content in parts:
        yield from opening.inner(BytesIO(content), inside + called)


def _encoded(mail: Message) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, the text in the mail, and the content of each part that is encoded."""
    subject = str(mail.get("Subject", ""))
    if "=?" in subject:
        said = b"".join(
            text if isinstance(text, bytes) else text.encode("utf-8", "replace")
            for text, _ in decode_header(subject)
        )
        yield "Subject", b"", said
    for number, part in enumerate(mail.walk()):
        if number > _PARTS:
            raise DamagedError(f"has more than {_PARTS} parts")
        if part.is_multipart():
            continue
        raw = part.get_payload()
        content = part.get_payload(decode=True)
        how = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if isinstance(raw, str) and isinstance(content, bytes) and how in _ENCODED:
            name = display(part.get_filename() or "").replace("/", "_").replace("!", "_")
            yield (
                name or (f"part {number}" if number else "body"),
                raw.encode("ascii", "surrogateescape"),
                content,
            )


def _without(whole: bytes, encoded: list[bytes]) -> bytes:
    """The mail with empty lines where the encoded parts are, so that lines stay where they are."""
    kept, at = [], 0
    for raw in encoded:
        found = whole.find(raw, at) if raw else -1
        if found >= 0:
            kept += [whole[at:found], _NOT_LINES.sub(b"", raw)]
            at = found + len(raw)
    return b"".join((*kept, whole[at:]))
