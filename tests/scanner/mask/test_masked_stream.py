from __future__ import annotations

import base64
import json
import random
import string
import textwrap
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Confidence, FingerprintKey, SecretValue, UsageError, builtin_rules
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.scan.mask.known_value import KnownValues, forms_of
from stanch.scanner.scan.mask.masking import MASK, Masking
from stanch.scanner.scan.mask.stream import MaskedStream
from tests.scanner.conftest import github_token

ENGINE = Engine(
    builtin_rules(),
    FingerprintKey(SecretValue(bytes(range(32)))),
    min_confidence=Confidence.MEDIUM,
)
KNOWN = b"corr$ct h\"rse 'battery'"
LINES = b"-3rd-\nfirst line of it\nand a second\n"
MASKING = Masking(ENGINE, KnownValues([SecretValue(KNOWN), SecretValue(LINES)]))
TOKEN = github_token(1).encode()
KEY = ed25519.Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
LONG_KEY = rsa.generate_private_key(65537, 2048).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
TWICE = base64.b64encode(base64.b64encode(b"the token is " + TOKEN + b" and so on"))
WRAPPED = "\n".join(textwrap.wrap(TWICE.decode(), 76)).encode()
PLAIN = (
    b"compiling core\n",
    b"\r\n",
    b"100%\r\n",
    b"\xff\xfe\x00 not text \x80\n",
    b"Password: ",
    b"no end",
    b"sha256:" + b"0" * 64 + b"\n",
    "größe µ\n".encode(),
    b"-----BEGIN CERTIFICATE-----\n",
)
VALUES = (TOKEN, KNOWN, KEY, LONG_KEY, LINES, WRAPPED)


def whole(text: bytes) -> bytes:
    stream = MaskedStream(MASKING)
    return stream.feed(text) + stream.finish()


def in_pieces(text: bytes, cuts: list[int], *, flush: bool, small: bool = False) -> bytes:
    stream = MaskedStream(MASKING, block=2048, margin=4096) if small else MaskedStream(MASKING)
    out = []
    places = sorted({min(cut, len(text)) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(text)], strict=True):
        out.append(stream.feed(text[start:end]))
        if flush:
            out.append(stream.flush())
    out.append(stream.finish())
    return b"".join(out)


def leaked(value: bytes, out: bytes, least: int = 6) -> list[bytes]:
    """Parts of a value, of some length, that are in the output."""
    return [
        value[at : at + least] for at in range(len(value) - least) if value[at : at + least] in out
    ]


TEXTS = st.lists(
    st.sampled_from((*PLAIN, *(b"value " + each + b"\n" for each in VALUES))), max_size=12
)


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(0, 9000), max_size=8))
def test_however_a_stream_is_cut_it_is_masked_like_the_whole(
    pieces: list[bytes], cuts: list[int]
) -> None:
    text = b"".join(pieces)
    assert in_pieces(text, cuts, flush=False) == whole(text)
    small = in_pieces(text, [], flush=False, small=True)
    assert in_pieces(text, cuts, flush=False, small=True) == small


@settings(deadline=None)
@given(
    st.sampled_from(VALUES),
    st.lists(st.sampled_from(PLAIN), max_size=3),
    st.lists(st.sampled_from(PLAIN), max_size=3),
    st.data(),
)
def test_no_part_of_a_value_goes_out_whatever_it_waits_for(
    value: bytes, before: list[bytes], behind: list[bytes], data: st.DataObject
) -> None:
    text = b"".join(before) + b"\nvalue " + value + b"\n" + b"".join(behind)
    begin = text.index(value)
    cuts = data.draw(st.lists(st.integers(begin - 3, begin + len(value) + 3), max_size=6))
    out = in_pieces(text, cuts, flush=True)
    secret = [
        line for line in value.splitlines() if not line.startswith(b"-----") and len(line) > 6
    ]
    assert [part for line in secret for part in leaked(line, out)] == []
    assert MASK in out


@pytest.mark.parametrize("flush", [True, False])
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_bytes_without_a_value_pass_as_they_are(
    *, data: bytes, cuts: list[int], flush: bool
) -> None:
    data = data.replace(b"-----BEGIN", b"")
    if MASKING.places(data):  # noise that looks like a secret
        return
    assert in_pieces(data, cuts, flush=flush) == data


def test_only_the_value_is_replaced() -> None:
    text = b"\xef\xbb\xbfone\r\nTOKEN=" + TOKEN + b";\0\r\n\xff\xfelast without an end"
    assert whole(text) == text.replace(TOKEN, MASK)


@pytest.mark.parametrize(
    "form",
    [
        KNOWN,
        base64.b64encode(KNOWN),
        base64.b64encode(b"x" + KNOWN),
        base64.b64encode(b"user:" + KNOWN + b":more"),
        base64.urlsafe_b64encode(b"ab" + KNOWN),
        base64.b64encode(base64.b64encode(KNOWN)),
        quote(KNOWN, safe="").encode(),
        KNOWN.hex().encode(),
        json.dumps(KNOWN.decode()).encode(),
        KNOWN.replace(b"$", b"$$"),
        b"corr$ct h&quot;rse &#39;battery&#39;",
        b"first line of it",
        base64.b64encode(b"first line of it"),
    ],
    ids=range(13),
)
def test_a_known_value_is_masked_in_every_form(form: bytes) -> None:
    out = whole(b"curl -d <" + form + b"> https://example.com\n")
    assert out.startswith(b"curl -d <")
    assert MASK in out
    assert leaked(form[8:-8] or form, out, 8) == []


def test_a_value_too_short_to_mask_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="fewer than 6 bytes"):
        KnownValues([SecretValue(b"abc")])


def test_whole_lines_and_prompts_do_not_wait_and_open_values_do() -> None:
    stream = MaskedStream(MASKING)
    for given_, out in (
        (b"compiling\n", b"compiling\n"),
        (b"Password: ", b"Password: "),
        (b"\nhalf of gh", b"\n"),
        (TOKEN[2:] + b" x\n", b"half of [MASKED] x\n"),
        (KEY[:60], b""),
        (KEY[60:], MASK),
        (b"digest: sha256:" + b"a" * 64 + b"\n", None),
        (b"a line\n" + LINES[:6], b"a line\n"),
        (LINES[6:], b"[MASKED]"),
        (WRAPPED[:77], b""),
    ):
        assert stream.feed(given_) == b""
        got = stream.flush()
        assert out is None or out in got or got == out
        assert bool(got) is (out != b"")
    assert leaked(WRAPPED, stream.finish(), 80) == []


def test_blocks_of_a_large_stream_join_without_loss() -> None:
    chance = random.Random(3)  # noqa: S311  # nothing is protected by it
    words = ["".join(chance.choices(string.ascii_lowercase, k=5)) for _ in range(200)]
    lines = [" ".join(chance.choices(words, k=12)) for _ in range(40_000)]
    for at in range(500, 40_000, 3000):
        lines[at] += f" {github_token(at)}"
    text = "\n".join(lines).encode()
    out = whole(text)
    assert out.count(MASK) == len(range(500, 40_000, 3000))
    pieces = out.split(MASK)
    at = 0
    for piece in pieces:
        at = text.index(piece, at) + len(piece) + (40 if piece is not pieces[-1] else 0)
    assert at == len(text)


def test_what_cannot_be_judged_is_masked_whole() -> None:
    masking = Masking(ENGINE, KnownValues([]))
    stream = MaskedStream(masking)
    names = "\n".join(f"token {github_token(n)}" for n in range(20)) + "\n"
    out = stream.feed((names * 300).encode()) + stream.finish()
    assert b"ghp_" not in out
    assert masking.unjudged


@pytest.mark.parametrize(
    "form",
    [
        b'a\\u003cb\\u0026c/d\\"$e^f',  # Go's JSON
        b'a<b&c\\/d\\"$e^f',  # PHP's JSON
        b'a^<b^&c/d^"$e^^f',  # cmd
        b'a<b&c/d`"`$e^f',  # PowerShell
    ],
)
def test_a_value_of_signs_is_known_as_other_programs_write_it(form: bytes) -> None:
    assert form in forms_of(b'a<b&c/d"$e^f')
