"""A change is judged by whatever counts, however far away: as if its version were read whole."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from stanch.scanner.api import Fragment, InStream, Scanner
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.scan.batch import scan_batch
from stanch.scanner.sources.git.blob_reader import Blob
from stanch.scanner.sources.git.common_affix import changes
from stanch.scanner.sources.hunk import Hunk, hunks

Found = set[tuple[str, str, str, str]]

_PROSE = b"".join(b"Line %d says nothing that anybody has to hide.\n" % n for n in range(800))


class Versions:
    """Versions of one file, as a history reads them."""

    def __init__(self, path: str, versions: Sequence[bytes]) -> None:
        self.path, self.versions = path, versions

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Hunk]:
        before = None
        for blob, content in zip(batch, self.versions, strict=True):
            if before is None:
                yield Hunk(content, 0, len(content), self.place, blob)
            else:
                yield from hunks(content, changes(before, content), self.place, blob)
            before = content

    def place(self, blob: Blob) -> Provenance:
        return InStream(path=blob.path)

    def batches(self) -> Iterator[tuple[Blob, ...]]:
        yield tuple(Blob(str(n), self.path) for n in range(len(self.versions)))

    def label(self, item: Blob) -> str:
        return item.path

    def close(self) -> None:
        """Nothing to end."""


def _found(scanner: Scanner, path: str, *versions: bytes) -> Found:
    source = Versions(path, versions)
    (batch,) = source.batches()
    answer = scan_batch(source, scanner._engine, batch, parts=False)
    return {_name(finding) for finding, _ in answer.found}


def _whole(scanner: Scanner, path: str, *versions: bytes) -> Found:
    fragments = (Fragment(data=each, provenance=InStream(path=path)) for each in versions)
    return {_name(match.finding) for each in fragments for match in scanner._engine.scan(each)}


def _name(finding: Finding) -> tuple[str, str, str, str]:
    return finding.rule, finding.fingerprint, finding.confidence.value, finding.severity.value


def test_every_example_is_found_when_its_last_half_is_added(scanner: Scanner) -> None:
    chance = random.Random(5)  # noqa: S311  # the same every time
    missed = []
    for rule in load_builtin():
        for number, template in enumerate(rule.match):
            example = generate(template, number)
            begin, end = chance.randrange(len(example) + 1), len(_PROSE) // 2
            text = _PROSE[:end] + b"\n" + example + b"\n" + _PROSE[end:]
            without = _PROSE[:end] + b"\n" + example[:begin] + b"\n" + _PROSE[end:]
            for path in ("notes", "a.yaml"):
                expected = _whole(scanner, path, without, text)
                if not expected <= _found(scanner, path, without, text):
                    missed.append((rule.id, begin, path))
    assert missed == []


def _table(rows: int, last: bytes) -> bytes:
    head = b"# Accounts\n\n| user | password |\n|------|----------|\n"
    return head + b"| nobody | none |\n" * rows + b"| admin | %s |\n" % last


def _secret(entries: int) -> bytes:
    said = [b"  entry%d: %s\n" % (n, generate("{password}", n)) for n in range(entries)]
    return b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n" + b"".join(said)


@pytest.mark.parametrize("rows", [1, 12, 30, 60, 150])
def test_a_row_counts_by_its_header(scanner: Scanner, rows: int) -> None:
    first, then = _table(rows, b"none"), _table(rows, generate("{password}", rows))
    found = _found(scanner, "a.md", first, then)
    assert found == _whole(scanner, "a.md", first, then)
    assert found


@pytest.mark.parametrize("entries", [2, 40, 400])
def test_an_entry_counts_by_the_kind_of_its_document(scanner: Scanner, entries: int) -> None:
    first, then = _secret(entries), _secret(entries + 1)
    found = _found(scanner, "a.yaml", first, then)
    assert found == _whole(scanner, "a.yaml", first, then)
    assert len(found) > entries // 2


def test_the_kind_counts_when_it_comes_last(scanner: Scanner) -> None:
    text = _secret(300).replace(b"kind: Secret\n", b"") + b"kind: Secret\n"
    first = text.removesuffix(b"kind: Secret\n")
    assert _found(scanner, "a.yaml", first, text) == _whole(scanner, "a.yaml", first, text)


@pytest.mark.parametrize("width", [10, 180, 900])
def test_a_pair_is_one_whatever_stands_between(scanner: Scanner, width: int) -> None:
    between = b"".join(b"# %s %d\n" % (b"x " * (width // 2), n) for n in range(6))
    one = generate("aws_access_key_id = {aws_key_id}", 3)
    other = generate("aws_secret_access_key = {aws_secret}", 3)
    first, then = one + b"\n" + between, one + b"\n" + between + other + b"\n"
    found = _found(scanner, "a.env", first, then)
    assert found >= _whole(scanner, "a.env", first, then)
    assert "critical" in {severity for *_, severity in found}


@pytest.mark.parametrize("at", [0.3, 0.6, 0.95])
def test_a_key_that_changes_anywhere_is_another_key(scanner: Scanner, at: float) -> None:
    key = generate("{pem:rsa}", 4)
    cut = int(len(key) * at)
    changed = key[:cut] + bytes([65 + (key[cut] == 65)]) + key[cut + 1 :]
    text = _PROSE[:20_000] + key + _PROSE[20_000:]
    then = _PROSE[:20_000] + changed + _PROSE[20_000:]
    assert _found(scanner, "k.pem", text, then) == _whole(scanner, "k.pem", text, then)
