from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.detectors.encoding import decode
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.compile import prefilter
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

Scan = Callable[..., list[Match]]

LOOK = prefilter(load_builtin()).look
TOKEN = generate("ghp_{base62:30}{crc32_base62}", 11)


def escaped(text: bytes) -> bytes:
    return "".join(f"\\u{byte:04x}" for byte in text).encode()


def percent(text: bytes) -> bytes:
    return quote(text, safe="").encode().replace(b"_", b"%5F")


@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (base64.b64encode, "base64"),
        (base64.urlsafe_b64encode, "base64"),
        (lambda text: text.hex().encode(), "hex"),
        (percent, "url"),
        (escaped, "escape"),
    ],
)
def test_an_encoded_copy_is_found_and_points_at_its_place(
    scan: Scan, encode: Callable[[bytes], bytes], name: str
) -> None:
    run = encode(b"url=https://x/?q=1&t=" + TOKEN)
    (match,) = scan(b"first line\nblob: '" + run + b"' # end\n", "app.py")
    assert match.parts["value"].reveal() == TOKEN
    span = match.finding.span
    assert (span.line, span.column, span.end_column) == (2, 8, 8 + len(run))
    assert match.finding.reason.endswith(f"+{name}")
    assert match.finding.path == "app.py"


def test_base64_over_several_lines_is_one_run(scan: Scan) -> None:
    run = base64.encodebytes(b"some words in front\npassword: tr0ub4dor-and-3\n" + TOKEN * 2)
    matches = scan(b"data: |\n" + run, "secret.yaml")
    assert {m.parts["value"].reveal() for m in matches} >= {b"tr0ub4dor-and-3"}
    assert {m.finding.span.line for m in matches} == {2}


def test_three_layers_are_opened_and_no_more(scan: Scan) -> None:
    text = b"the token is " + TOKEN
    for layer in range(1, 5):
        text = base64.b64encode(text)
        found = scan(b"x = '" + text + b"'", "app.py")
        assert bool(found) == (layer <= decode.DEPTH)


def test_a_copy_has_the_fingerprint_of_the_original(scan: Scan) -> None:
    (plain,) = scan(TOKEN)
    (copy,) = scan(base64.b64encode(b"export GH=" + TOKEN))
    assert copy.finding.fingerprint == plain.finding.fingerprint


def test_a_named_token_is_not_reported_again_for_what_it_encodes(scan: Scan) -> None:
    jwt = generate("{jwt}", 3)
    assert [m.finding.kind for m in scan(b"bearer " + jwt)] == [
        m.finding.kind for m in scan(b"bearer " + jwt) if m.finding.provider == "jwt"
    ]


@pytest.mark.parametrize("template", ["{hex:64}", "{base64:400}", "{base62:64}"])
def test_digests_and_binary_data_hide_no_text(template: str) -> None:
    assert list(decode.copies(generate(template, 4))) == []


def test_what_lies_behind_many_harmless_runs_is_found(engine: Engine) -> None:
    run = base64.b64encode(b"nothing to be seen here at all") + b" ;\n"
    token = base64.b64encode(b"the token is " + TOKEN)
    scanned = engine.examine(_fragment(run * 250 + token))
    assert [match.finding.span.line for match in scanned.matches] == [251]
    assert scanned.gaps == ()


def test_what_is_not_opened_is_a_gap(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MOST_RUNS", 10)
    run = base64.b64encode(b"nothing to be seen here at all") + b" ;\n"
    assert engine.examine(_fragment(run * 10)).gaps == ()
    (gap,) = engine.examine(_fragment(run * 11)).gaps
    assert gap.incomplete


def _fragment(data: bytes) -> Fragment:
    return Fragment(data=data, provenance=InStream(path="a.txt"))


def test_a_command_that_powershell_encoded_is_opened(scan: Scan) -> None:
    command = b"$env:GH = '" + TOKEN + b"'"
    run = base64.b64encode(command.decode().encode("utf-16-le"))
    (match,) = scan(b"powershell -EncodedCommand " + run, "run.ps1")
    assert match.parts["value"].reveal() == TOKEN
    assert match.finding.reason.endswith("+utf-16+base64")


def test_hexadecimal_escapes_alone_are_opened(scan: Scan) -> None:
    text = "".join(f"\\x{byte:02x}" for byte in TOKEN).encode()
    (match,) = scan(b"key = '" + text + b"'", "app.py")
    assert match.parts["value"].reveal() == TOKEN
    assert match.finding.reason.endswith("+escape")


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.one_of(
            st.builds(
                lambda n: base64.b64encode(b"a text to be found here " * n), st.integers(0, 4)
            ),
            st.builds(lambda n: b"nothing to be seen " * n, st.integers(0, 9)),
            st.sampled_from(
                [b"\\u0061", b"\\x61\\x62\\x63\\x64", b"%3Dabc%40", b"\n", b" ", b"\\n"]
            ),
        ),
        max_size=8,
    )
)
def test_from_the_first_mark_on_there_are_the_same_copies(parts: list[bytes]) -> None:
    data = b"".join(parts)
    _, marks = LOOK(data)
    found = [(each.start, each.end, each.text) for each in decode.copies(data, marks)]
    assert found == [(each.start, each.end, each.text) for each in decode.copies(data)]
