"""Documents made to cost, to run something, or to hide: bounded, said, and never an error."""

from __future__ import annotations

import io
import sqlite3
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InStream
from stanch.scanner.sources.content import archive
from stanch.scanner.sources.content.document import pdf, pdf_child, slack_export
from stanch.scanner.sources.content.text_or_binary import is_wrapped
from stanch.scanner.sources.files import content
from tests.scanner.documents import office_sample, sample

Scan = Callable[..., Any]
Token = Callable[[int], str]


def test_a_document_type_is_refused_and_the_part_read_as_text(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    lol = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    text = f"{lol}<w:p xmlns:w='w'><w:t>&b;{token(1)}</w:t></w:p>"
    (tmp_path / "a.docx").write_bytes(office_sample.office("word/document.xml", text))
    outcome = scan(tmp_path)
    assert "document type" in outcome.incomplete[0].why
    assert outcome.places == [("a.docx!word/document.xml", 1)]


def test_depth_of_xml_is_bounded(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "a.docx").write_bytes(office_sample.office("word/document.xml", "<p>" * 100_000))
    assert "deeper" in scan(tmp_path).incomplete[0].why


def test_a_tag_has_a_bound(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "a.docx").write_bytes(
        office_sample.office("word/document.xml", f'<p x="{"y" * (10 << 20)}"/>')
    )
    assert "tag of more" in scan(tmp_path).incomplete[0].why


def test_text_that_grows_without_end_is_bounded(
    tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_BYTES", 1 << 20)
    (tmp_path / "a.docx").write_bytes(office_sample.docx("a" * (2 << 20)))
    assert "unpacks to more" in scan(tmp_path).incomplete[0].why


_HOSTILE = """
create table t (a text, b text generated always as (zeroblob(900000000)) virtual);
create view endless as with recursive x(n) as (select 1 union all select n from x) select n from x;
create table w (k text primary key, v text) without rowid;
create table blobs (x blob);
create virtual table f using fts4(body);
"""


def test_nothing_of_a_database_is_run(tmp_path: Path, scan: Scan, token: Token) -> None:
    base = sqlite3.connect(tmp_path / "a.db")
    base.executescript(_HOSTILE)
    base.execute("insert into t (a) values (?)", (token(1),))
    base.execute("insert into w values ('key', ?)", (token(2),))
    base.execute("insert into blobs values (?)", (office_sample.zipped({"y.env": token(3)}),))
    base.execute("insert into f values (?)", (token(4),))
    base.execute("create trigger g before insert on t begin select load_extension('x'); end")
    base.commit()
    base.close()
    outcome = scan(tmp_path)
    assert not outcome.incomplete
    assert sorted(outcome.places) == [
        ("a.db!blobs!row 1.x!y.env", 1),
        ("a.db!f_content!row 1.c0body", 1),
        ("a.db!t!row 1.a", 1),
        ("a.db!w!row 1.v", 1),
    ]


def test_what_a_database_has_not_taken_over_is_read_in_its_log(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute("pragma journal_mode=wal")
    base.execute("create table t (a text)")
    base.execute("insert into t values (?)", (f"it is {token(1)}",))
    base.commit()
    outcome = scan(tmp_path)
    base.close()
    assert [path for path, _ in outcome.places if path.startswith("a.db-wal!string")]


def test_a_broken_database_is_incomplete(tmp_path: Path, scan: Scan) -> None:
    whole = sample.sqlite("x" * 5000)
    (tmp_path / "a.db").write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])
    assert [gap.path for gap in scan(tmp_path).incomplete] == ["a.db"]


def test_a_pdf_that_unpacks_without_end_is_bounded(tmp_path: Path, scan: Scan) -> None:
    packed = zlib.compress(zlib.compress(b" " * (90 << 20)))
    head = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n" % len(packed)
    whole = sample.pdf("x")
    begin = whole.index(b"5 0 obj\n") + 8
    bomb = whole[:begin] + head + packed + b"\nendstream" + whole[whole.index(b"endobj", begin) :]
    (tmp_path / "a.pdf").write_bytes(bomb)
    assert [gap.path for gap in scan(tmp_path).incomplete] == ["a.pdf"]


def test_a_pdf_that_kills_its_reader_is_incomplete_and_the_next_is_read(
    tmp_path: Path, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.pdf").write_bytes(sample.pdf(token(1)))
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n" + bytes(9000))
    pdf.close()
    send = pdf._Child._send

    def dies(child: Any, data: bytes) -> None:
        if len(data) > 9000:
            child._process.kill()
        send(child, data)

    monkeypatch.setattr(pdf._Child, "_send", dies)
    outcome = scan(tmp_path)
    assert [(gap.path, "gave up" in gap.why) for gap in outcome.incomplete] == [("a.pdf", True)]
    assert outcome.places == [("b.pdf!page 4", 1)]


def test_a_pdf_has_its_time(tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 0.0)
    (tmp_path / "a.pdf").write_bytes(sample.pdf("x"))
    assert "takes longer" in scan(tmp_path).incomplete[0].why


def test_a_broken_pdf_says_so() -> None:
    (piece,) = pdf_child.pieces(b"%PDF-1.7\nnothing")
    assert piece[0] == b"f"


def test_a_pdf_without_its_reader_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    (piece,) = pdf_child.pieces(sample.pdf("x"))
    assert b"not installed" in piece[2]


def test_of_many_mails_the_text_is_read_and_the_rest_said(
    tmp_path: Path, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "LARGEST_MAIL", 100)
    (tmp_path / "a.mbox").write_bytes(sample.mailbox("x") + f"X-Key: {token(1)}".encode())
    outcome = scan(tmp_path)
    assert "encoded parts" in outcome.incomplete[0].why
    assert len(outcome.matches) == 1


def test_other_programs_begin_like_a_class(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "fat").write_bytes(b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(600))
    assert [gap.why for gap in scan(tmp_path).gaps] == ["binary"]


def test_a_mail_of_many_levels_is_incomplete(tmp_path: Path, scan: Scan) -> None:
    level = 'Content-Type: multipart/mixed; boundary="{0}"\n\n--{0}\n'
    mail = "From: a@b\nMIME-Version: 1.0\n" + "".join(level.format(f"b{n}") for n in range(3000))
    (tmp_path / "a.eml").write_text(mail)
    assert scan(tmp_path).incomplete


_WHOLE = [
    make("x" * 40) for name, make in sample.DOCUMENTS.items() if not name.endswith((".pdf", "ry"))
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    whole=st.sampled_from(_WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 9000), st.binary(max_size=6)), max_size=6),
    cut=st.integers(0, 600),
)
def test_no_damage_makes_a_document_raise(
    whole: bytes, edits: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(whole)
    for at, new in edits:
        at %= len(data)  # noqa: PLW2901  # into the data
        data[at : at + len(new)] = new
    damaged = bytes(data[: max(1, len(data) - cut)])
    if archive.is_archive(damaged[: archive.LOOKED_AT]) or is_wrapped(damaged):
        for piece in archive.members(io.BytesIO(damaged), InStream(path="x")):
            assert isinstance(piece, Fragment | Gap)


def test_a_day_of_slack_with_too_many_values_is_read_as_text(
    tmp_path: Path, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_export, "_MOST", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("channels.json", "[]")
        made.writestr("users.json", "[]")
        made.writestr("ops/2024-02-02.json", "[" + "{}," * 20 + f'{{"text": "{token(1)}"}}]')
    assert scan(tmp_path).places == [("a.zip!ops/2024-02-02.json", 1)]


def test_a_mail_that_cannot_be_taken_apart_is_read_as_it_stands(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    parts = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(1500)
    )
    (tmp_path / "a.eml").write_text(f"From: a\nMIME-Version: 1.0\n{parts}\nTOKEN={token(1)}\n")
    outcome = scan(tmp_path)
    assert outcome.secrets == [token(1)]
    assert outcome.incomplete
