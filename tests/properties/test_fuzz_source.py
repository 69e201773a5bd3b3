"""Whatever is read, and however it is cut, says the same; what is damaged is a gap."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import strategies as st

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.hook.change import commit_changes
from stanch.scanner.model.error import SourceError
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InStream
from stanch.scanner.scan.batch import Tally
from stanch.scanner.scan.pool import run
from stanch.scanner.sources.content import archive, window
from stanch.scanner.sources.git import diff_tree
from stanch.scanner.sources.git.bounded_process import Git
from stanch.scanner.sources.git.bounds import SCAN
from stanch.scanner.sources.git.repository import records
from stanch.scanner.sources.stream import Stream

Damaged = Callable[[Sequence[bytes]], st.SearchStrategy[bytes]]
_TOKENS = [generate("ghp_{base62:30}{crc32_base62}", n) for n in range(4)]


class Trickle(io.BytesIO):
    """A stream that gives less than it is asked for, as pipes do."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(self._most, size) if size and size > 0 else self._most)


def places(engine: Engine, stream: io.BytesIO) -> list[tuple[int, int, int, int, str]]:
    found = run(Stream(stream=stream, name="x.txt"), engine, parts=False, processes=1)
    spans = [
        (each.finding.span, each.finding.fingerprint) for each in found if isinstance(each, Match)
    ]
    return [(s.line, s.column, s.end_line, s.end_column, name) for s, name in spans]


def test_a_cut_changes_no_finding(
    fuzz: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut into windows, and given in bits: the same places as in one piece."""

    def claim(pieces: list[tuple[int, bytes]], line: int, most: int) -> None:
        filler = b"x" * line + b"\n" if line else b"x"
        data = b"".join((filler * (size // len(filler) + 1))[:size] + b" " + token + b" "
                        for size, token in pieces)  # fmt: skip
        monkeypatch.setattr(window, "WINDOW", 1 << 20)
        whole = places(engine, io.BytesIO(data))
        monkeypatch.setattr(window, "WINDOW", 1 << 15)
        assert places(engine, Trickle(data, most)) == whole
        assert len(whole) == len(pieces)

    border = st.one_of(
        st.integers(0, 400), st.integers((1 << 15) - 100, (1 << 15) + 100), st.integers(0, 1 << 16)
    )
    pieces = st.lists(st.tuples(border, st.sampled_from(_TOKENS)), min_size=1, max_size=5)
    fuzz(claim, pieces, st.sampled_from([0, 1, 79, 5000]), st.integers(997, 1 << 17), inputs=60)


def test_any_bytes_are_fragments_or_gaps(fuzz: Any, damaged: Damaged) -> None:
    text = "token = «é»\r\n" * 40
    wholes = [text.encode(each) for each in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be")]

    def claim(data: bytes, most: int) -> None:
        pieces = list(window.fragments(Trickle(data, most).read, InStream(path="x")))
        assert len(pieces) == 1

    fuzz(claim, damaged(wholes), st.integers(1, 300), inputs=600)


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a/b.txt", data)
        opened.writestr("c.bin", b"\0\1\2")
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as opened:
        for kind in (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"k/{kind.decode()}")
            info.type, info.linkname = kind, "../../etc/passwd"
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            opened.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_a_damaged_archive_is_gaps_and_what_is_whole(fuzz: Any, damaged: Damaged) -> None:
    text = b"hello, world\n" * 30
    packers = (zipped, tarred, gzip.compress, bz2.compress, lzma.compress)
    wholes = [one(text) for one in packers]
    wholes += [one(other(text)) for one in packers for other in packers]

    def claim(data: bytes) -> None:
        if archive.is_archive(data[: archive.LOOKED_AT]):
            for piece in archive.members(io.BytesIO(data), InStream(path="x")):
                assert isinstance(piece, Fragment | Gap)

    fuzz(claim, damaged(wholes), inputs=800)


def answered(data: bytes) -> Git:
    """A program that writes these bytes and ends, as a git that dies does."""
    with TemporaryFile() as food, TemporaryFile() as complaints:
        food.write(data)
        food.seek(0)
        return Git(
            ["cat"], bounds=SCAN, stdin=food, stderr=complaints, env=os.environ, cwd=Path.cwd()
        )


def test_an_answer_of_git_may_end_anywhere(fuzz: Any) -> None:
    head = b"\x1e" + b"c" * 40 + b"\0Ann <a@b>\x001700000000\0"
    one = b"\n:100644 100644 " + b"1" * 40 + b" " + b"2" * 40 + b" M\0a/b.txt\0"
    two = b"\n::100644 100644 100644 " + b" ".join([b"3" * 40] * 3) + b" MM\0\xff\x1e:\0"
    gone = b"\n:100644 000000 " + b"1" * 40 + b" " + b"0" * 40 + b" D\0gone\0"
    whole = (head + one + two + gone) * 2

    def claim(end: int) -> None:
        data = whole[: end % (len(whole) + 1)]
        for parse in (commit_changes.parsed, diff_tree.changes):
            with answered(data) as git:
                assert len(list(parse(records(git)))) <= whole.count(b"\x1e") * 4

    fuzz(claim, st.integers(0, len(whole)), inputs=200)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A packed repository with two versions of a file."""
    path = tmp_path / "repo"
    path.mkdir()
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=path, env=environment, check=True)

    git("init", "-q", "-b", "main")
    for text in ("one\n" * 50, "one\n" * 50 + "two\n"):
        (path / "a.txt").write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", "x")
    git("gc", "-q")
    return path


def test_a_damaged_pack_index_or_ref_is_a_gap_or_an_error_with_a_remedy(
    fuzz: Any, repository: Path, scanner: Any
) -> None:
    inside = repository / ".git"
    files = [
        path
        for path in sorted(inside.rglob("*"))
        if path.is_file() and "hooks" not in path.parts and path.name != "description"
    ]
    kept = {path: path.read_bytes() for path in files}

    def claim(number: int, at: int, new: bytes, end: int | None) -> None:
        path = files[number % len(files)]
        data = bytearray(kept[path])
        start = at % (len(data) + 1)
        data[start : start + len(new)] = new
        path.chmod(0o600)
        path.write_bytes(data[:end])
        try:
            for result in scanner.scan_path(repository, staged=True):
                assert isinstance(result, Match | Gap | Tally)
        except SourceError as error:
            assert error.remedy  # noqa: PT017  # most inputs raise nothing
        finally:
            path.write_bytes(kept[path])

    cut = st.one_of(st.none(), st.integers(0, 200))
    fuzz(claim, st.integers(0, 99), st.integers(0, 2000), st.binary(max_size=8), cut, inputs=60)
