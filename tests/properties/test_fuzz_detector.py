"""No bytes make a detector raise, and what it says about places is true."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from stanch.scanner.detectors.candidate import Candidate, CheckResult
from stanch.scanner.detectors.checks import CHECKS
from stanch.scanner.detectors.encoding import decode
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.matching.confirm import confirmed, everywhere
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.rule import Rule

_PATHS = st.sampled_from(
    [
        "a.py",
        "x.yaml",
        "x.json",
        ".env",
        "docs/x.md",
        ".pgpass",
        "x.lock",
        "x.min.js",
        "x.tf",
        ".npmrc",
    ]
)
_TOKEN = generate("ghp_{base62:30}{crc32_base62}", 11)
_COPIED = ("+base64", "+hex", "+url", "+escape")


def scanned(engine: Engine, data: bytes, path: str) -> tuple[Match, ...]:
    return engine.examine(Fragment(data=data, provenance=InStream(path=path))).matches


def test_every_check_has_an_opinion_on_any_candidate(
    fuzz: Any, damaged: Any, examples: list[bytes], rules: tuple[Rule, ...]
) -> None:
    """A rule of the user's own may name any check for any pattern."""

    def claim(data: bytes, begin: int, size: int, path: str) -> None:
        start = begin % (len(data) + 1)
        end = min(len(data), start + size)
        if start == end:
            start, end = 0, len(data)
        if end:
            for check in CHECKS.values():
                candidate = Candidate(
                    rule=rules[0], data=data, start=start, end=end, path=path, now=1.8e9
                )
                assert isinstance(check(candidate), CheckResult)
                assert 0 <= candidate.start <= candidate.end <= len(data)

    fuzz(claim, damaged(examples), st.integers(0, 4000), st.integers(0, 4000), _PATHS, inputs=600)


def test_findings_lie_where_they_say(
    fuzz: Any, damaged: Any, examples: list[bytes], engine: Engine
) -> None:
    def claim(pieces: list[bytes], between: bytes, path: str) -> None:
        data = between.join(pieces)
        lines = data.split(b"\n")
        for match in scanned(engine, data, path):
            span = match.finding.span
            assert 1 <= span.line <= span.end_line <= len(lines)
            assert 1 <= span.column <= len(lines[span.line - 1]) + 1
            assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
            assert (span.line, span.column) < (span.end_line, span.end_column)
            if not any(each in match.finding.reason for each in _COPIED):
                assert any(value.reveal() in data for value in match.parts.values())

    pieces = st.lists(damaged(examples), max_size=5)
    fuzz(claim, pieces, st.sampled_from([b"\n", b" ", b"\0", b""]), _PATHS, inputs=400)


def test_the_prefilter_leaves_out_nothing_that_an_expression_finds(
    fuzz: Any, damaged: Any, examples: list[bytes], engine: Engine, rules: tuple[Rule, ...]
) -> None:
    def claim(pieces: list[bytes]) -> None:
        data = b" ".join(pieces)
        windows = engine.prefilter.windows(data)
        for index, rule in enumerate(rules):
            quick = list(confirmed(rule, data, windows.get(index, [])))
            assert quick == list(everywhere(rule, data)), rule.id

    fuzz(claim, st.lists(damaged(examples), min_size=1, max_size=4), inputs=40)


_ENCODINGS: tuple[Callable[[bytes], bytes], ...] = (
    base64.b64encode,
    base64.urlsafe_b64encode,
    lambda text: text.hex().encode(),
    lambda text: text.hex().upper().encode(),
    lambda text: "".join(f"%{byte:02X}" for byte in text).encode(),
    lambda text: quote(text, safe="").replace("_", "%5F").encode(),
    lambda text: "".join(f"\\u{byte:04x}" for byte in text).encode(),
)


def test_an_encoded_secret_is_found_within_the_run_that_holds_it(fuzz: Any, engine: Engine) -> None:
    def claim(encode: Callable[[bytes], bytes], front: str, noise: bytes, behind: bytes) -> None:
        run = encode(f"{front} the token=".encode() + _TOKEN)
        data = noise.replace(b"A", b"\n") + b"\nblob: '" + run + b"'\n" + behind
        at = data.index(run)
        line = data.count(b"\n", 0, at) + 1
        column = at - data.rfind(b"\n", 0, at)
        found = [m for m in scanned(engine, data, "app.py") if _TOKEN in m.parts["value"].reveal()]
        assert found
        span = found[0].finding.span
        assert (span.line, span.end_line) == (line, line)
        assert column <= span.column < span.end_column <= column + len(run)

    text = st.text("abcdefghij klmnop=/:", max_size=30)
    fuzz(
        claim,
        st.sampled_from(_ENCODINGS),
        text,
        st.binary(max_size=60),
        st.binary(max_size=60),
        inputs=300,
    )


def test_copies_lie_within_the_data_and_are_text(fuzz: Any, damaged: Any) -> None:
    whole = b"key: " + base64.b64encode(b"plain text, " * 20) + b" %3D%22a%22 " + b"\\u0061" * 20
    hexed = (b"some text " * 9).hex().encode()

    def claim(data: bytes) -> None:
        found = list(decode.copies(data))
        assert len(found) <= decode.MOST_RUNS
        for each in found:
            assert 0 <= each.start < each.end <= len(data)
            assert each.text.isascii()
            assert len(each.text) <= each.end - each.start

    fuzz(claim, st.one_of(damaged([whole, hexed, whole + hexed]), st.binary()), inputs=1500)
