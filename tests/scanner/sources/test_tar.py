"""The tar walker: what it reads, and that it never ends before the end."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.sources.content.tar import Tar, begins_tar
from stanch.scanner.sources.content.unpacked import DamagedError
from tests.scanner.sources.archive_sample import tarred

_FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def _walk(data: bytes) -> list[tuple[str, bytes]]:
    tar = Tar(io.BytesIO(data))
    found = [(entry.name.decode(), tar.read(entry.size)) for entry in tar]
    tar.finish()
    return found


def _made(form: int, *entries: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as opened:
        for entry in entries:
            opened.addfile(entry, io.BytesIO(b"x" * entry.size))
    return out.getvalue()


def _info(name: str, size: int = 3, **facts: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in facts.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize("form", _FORMATS)
def test_names_of_every_length_and_sizes_are_read(form: int) -> None:
    names = ["a", "d/" * 60 + "b", "é" * 40]
    if form != tarfile.USTAR_FORMAT:
        names.append("e/" * 400 + "long")
    assert _walk(_made(form, *map(_info, names))) == [(name, b"xxx") for name in names]


def test_a_size_in_binary_and_one_in_a_pax_header_count() -> None:
    gnu = _made(tarfile.GNU_FORMAT, _info("a", 600))
    binary = (0x80 << 88 | 600).to_bytes(12, "big")
    header = bytearray(gnu)
    header[124:136] = binary
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header[:512])
    assert _walk(bytes(header)) == [("a", b"x" * 600)]
    lying = _made(tarfile.PAX_FORMAT, _info("b", 600, pax_headers={"size": "0000600"}))
    assert _walk(lying) == [("b", b"x" * 600)]


def test_links_devices_and_pipes_have_no_data() -> None:
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
    odd = [_info(f"o{n}", 0, type=kind, linkname="/etc/passwd") for n, kind in enumerate(kinds)]
    assert _walk(_made(tarfile.GNU_FORMAT, *odd, _info("last")))[-1] == ("last", b"xxx")


def test_what_is_stored_of_a_sparse_file_is_its_data() -> None:
    sparse = _info("s", 7)
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "real"}
    sparse.pax_headers["GNU.sparse.realsize"] = str(10 << 30)
    assert _walk(_made(tarfile.PAX_FORMAT, sparse)) == [("real", b"x" * 7)]


def test_the_same_name_twice_is_two_entries() -> None:
    assert len(_walk(_made(tarfile.GNU_FORMAT, _info("a"), _info("a")))) == 2


def _broken(kind: str) -> bytes:
    whole = bytearray(tarred({"a": b"x" * 600, "b": b"y"}))
    match kind:
        case "checksum":
            whole[1536 + 3] ^= 1
        case "cut between":
            del whole[1536:]
        case "cut within":
            del whole[700:]
        case "one block of zeros":
            del whole[2560 + 512 :]
        case "negative":
            whole[124:136] = (-512).to_bytes(12, "big", signed=True)
        case "no number":
            whole[124:136] = b"12x45678901\0"
        case "more behind":
            whole += b"\0" * 512 + b"hidden"
        case _:
            raise AssertionError(kind)
    if kind in {"negative", "no number"}:
        whole[148:156] = b" " * 8
        whole[148:155] = b"%06o\0" % sum(whole[:512])
    return bytes(whole)


@pytest.mark.parametrize(
    "kind",
    [
        *("checksum", "cut between", "cut within", "one block of zeros"),
        *("negative", "no number", "more behind"),
    ],
)
def test_what_has_no_proper_end_raises(kind: str) -> None:
    with pytest.raises(DamagedError):
        _walk(_broken(kind))


def test_a_header_that_claims_a_gigabyte_costs_nothing() -> None:
    info = _info("x", 1 << 30, type=tarfile.XHDTYPE)
    header = info.tobuf(tarfile.GNU_FORMAT)
    tracemalloc.start()
    with pytest.raises(DamagedError, match="more than 1 MiB"):
        _walk(header + bytes(4096))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_headers_without_an_entry_end() -> None:
    one = _made(tarfile.PAX_FORMAT, _info("a", pax_headers={"comment": "x"}))[:1024]
    with pytest.raises(DamagedError, match="headers for one entry"):
        _walk(one * 100)


def test_an_old_archive_and_an_empty_one_are_archives() -> None:
    assert begins_tar(tarred({"a": b"x"}))
    assert begins_tar(bytes(10240))
    assert not begins_tar(gzip.compress(b"x" * 4096))
    assert not begins_tar(b"plain text" * 100)


@given(
    edits=st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=12)), max_size=4),
    cut=st.integers(0, 3000),
)
def test_no_damage_loops_or_is_passed_over(edits: list[tuple[int, bytes]], cut: int) -> None:
    whole = bytearray(tarred({"a": b"x" * 600, "b": b"y", "c/" * 80: b"z" * 512}))
    for at, new in edits:
        whole[at : at + len(new)] = new
    damaged = bytes(whole[: len(whole) - cut])
    tar = Tar(io.BytesIO(damaged))
    try:
        for entry in tar:
            tar.read(entry.size)
        tar.finish()
    except DamagedError:
        return
    assert damaged.endswith(bytes(1024))


def test_a_number_behind_a_nul_is_none() -> None:
    """Others read a size there: what they take for data would be an entry for us."""
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"\0%010o\0" % 512
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(DamagedError, match="without a number"):
        list(Tar(io.BytesIO(bytes(header) + bytes(2048))))
