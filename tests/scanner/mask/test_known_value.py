"""Values that are named, however long they are and wherever their writer pauses."""

from __future__ import annotations

import base64
import html
import json
import secrets
from urllib.parse import quote

import pytest

from stanch.scanner.api import SecretValue
from stanch.scanner.scan.mask.known_value import KnownValues
from stanch.scanner.scan.mask.masking import MASK, Masking
from stanch.scanner.scan.mask.stream import MaskedStream
from tests.scanner.mask.test_masked_stream import ENGINE, leaked

_SIGNS = "p/a&b<c>'d\"e=f+g h%"


def _stream(value: bytes) -> MaskedStream:
    return MaskedStream(Masking(ENGINE, KnownValues([SecretValue(value)])), block=4096, margin=512)


def test_a_value_in_which_a_prompt_could_end_waits_for_its_end() -> None:
    value = b"correct: horse$ battery> " + secrets.token_hex(4).encode()
    stream = _stream(value)
    out = []
    for byte in b"x " + value + b"\nname: ":
        out += [stream.feed(bytes([byte])), stream.flush()]
    assert b"".join(out) == b"x " + MASK + b"\nname: "


@pytest.mark.parametrize("size", [3_000, 60_000])
@pytest.mark.parametrize("before", [0, 4_000, 4_090])
def test_a_long_value_is_masked_wherever_a_block_ends(size: int, before: int) -> None:
    value = secrets.token_urlsafe(size).encode()
    stream = _stream(value)
    line = b"-" * before
    for said in (value, base64.b64encode(value)):
        out = stream.feed(line + said + b"\n" + b"tail\n" * 4000) + stream.finish()
        assert leaked(said[:64], out, 10) == []
        assert leaked(said[-64:-4], out, 10) == []


def test_lines_that_come_twice_in_a_value_wait_from_the_first_on() -> None:
    value = b"a-1\na-1\na-1\nb-2\n"
    stream = _stream(value)
    out = []
    for line in (b"x\n" + value).splitlines(keepends=True):
        out += [stream.feed(line), stream.flush()]
    assert b"".join(out) == b"x\n" + MASK


@pytest.mark.parametrize(
    "form",
    [
        quote(_SIGNS),
        quote(_SIGNS, safe="").replace("%2F", "%2f").replace("%3C", "%3c").replace("%3E", "%3e")
        .replace("%3D", "%3d").replace("%2B", "%2b"),
        quote(_SIGNS, safe="!'()*"),
        quote(quote(_SIGNS, safe=""), safe=""),
        html.escape(_SIGNS),
        html.escape(_SIGNS, quote=False).replace('"', "&quot;").replace("'", "&apos;"),
        html.escape(_SIGNS, quote=False).replace('"', "&#34;").replace("'", "&#39;"),
        json.dumps(json.dumps(_SIGNS))[3:-3],
        json.dumps(_SIGNS)[1:-1].translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&='"}),
        base64.b64encode(_SIGNS.encode("utf-16-le")).decode().rstrip("="),
    ],
)  # fmt: skip
def test_signs_are_known_as_libraries_of_other_languages_write_them(form: str) -> None:
    stream = _stream(_SIGNS.encode())
    out = stream.feed(f"<{form}>\n".encode()) + stream.finish()
    assert MASK in out
    assert len(out) <= len(MASK) + 5
