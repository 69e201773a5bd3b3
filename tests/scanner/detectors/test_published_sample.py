"""Samples that everybody copies from documentation are no findings; what only holds one is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.text import published_sample
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]

_PAGES: dict[str, list[str]] = {}
for _line in (
    Path(published_sample.__file__).with_name("published_sample.txt").read_text().splitlines()
):
    if _line.startswith(" "):
        _PAGES[list(_PAGES)[-1]].append(_line.strip())
    else:
        _PAGES[_line] = []
_SAMPLES = [piece for pieces in _PAGES.values() for piece in pieces]


def _reported(scan: Scan, data: bytes) -> list[Match]:
    return [match for match in scan(data) if match.finding.confidence is not Confidence.LOW]


@pytest.mark.parametrize("sample", _SAMPLES)
def test_a_sample_in_a_secret_s_place_is_no_finding(scan: Scan, sample: str) -> None:
    assert not _reported(scan, f'client_secret = "{sample}"\nDB_PASSWORD="{sample}"\n'.encode())


@pytest.mark.parametrize(
    ("prefix", "page"),
    [
        ("sk_live_", "stripe"),
        ("AIza" + "Sy", "authentication/api-keys"),
        ("4839574812:", "tutorial"),
    ],
)
def test_a_sample_behind_a_prefix_is_no_finding(scan: Scan, prefix: str, page: str) -> None:
    (samples,) = (pieces for source, pieces in _PAGES.items() if page in source)
    for sample in samples:
        token = prefix.encode() + sample.encode()
        assert not scan(b"v = " + token), "as it is printed"
    assert scan(generate("v = sk_live_{base62:24}", 1)), "another one is a finding"


def test_an_altered_sample_stays_a_sample(scan: Scan) -> None:
    (pieces,) = (pieces for source, pieces in _PAGES.items() if "sendgrid" in source)
    first, second, third = pieces
    for sign in "-_":
        assert not scan(f"SG.{first}.{second}{sign}{third}".encode())


def test_a_secret_that_holds_a_sample_is_more_than_the_sample(scan: Scan) -> None:
    piece = min(_SAMPLES, key=len).encode()
    own = generate("{base62:40}", 1)
    (match,) = scan(b'api_key = "' + own + piece + b'"')
    assert match.finding.confidence.value == "medium"


def test_every_sample_says_where_it_is_printed() -> None:
    assert all(page.startswith("https://") for page in _PAGES)
    assert min(map(len, _SAMPLES)) > len("password"), "short ones would hide real passwords"
