"""Where a token is, in each kind of document; the sample hides it as such files do."""

from __future__ import annotations

import gzip
import py_compile
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scanner.conftest import Repo, github_token, sorted_out
from tests.scanner.documents import office_sample, sample

Scan = Callable[..., Any]
Token = Callable[[int], str]

PLACES = {
    "header.har": "",
    "body.har": "",
    "cassette.yaml": "",
    "cassette.json": "",
    "x.postman_collection.json": "",
    "x.postman_environment.json": "",
    "terraform.tfstate": "",
    "analysis.ipynb": "",
    "app.sqlite": "!users!row 17.token",
    "letter.docx": "!paragraph 2",
    "book.xlsx": "!Keys!B7",
    "talk.pptx": "!slide 2",
    "letter.odt": "!paragraph 2",
    "book.ods": "!Keys!B7",
    "talk.odp": "!slide 1",
    "paper.pdf": "!page 4",
    "body.eml": "!body",
    "attachment.eml": "!keys.docx!paragraph 2",
    "box.mbox": "!message 2!body",
    "slack-export.zip": "!ops/2024-02-02!ts 1706900001.000200",
    ".bash_history": "",
    ".zsh_history": "",
    "fish_history": "",
    "module.pyc": "!string 1",
    "program.jar": "!a/M.class!string 3",
    "code.apk": "!classes.dex!string 2",
    "resources.apk": "!resources.arsc!string 2",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, scanner: Any) -> Any:
    """One scan of one document of each kind."""
    root = tmp_path_factory.mktemp("documents")
    for number, (name, make) in enumerate(sample.DOCUMENTS.items()):
        (root / name).write_bytes(make(github_token(number)))
    return sorted_out(iter(scanner.scan_path(root)))


@pytest.mark.parametrize("name", sample.DOCUMENTS)
def test_the_token_is_found_once_and_its_place_named(name: str, found: Any) -> None:
    token = github_token(list(sample.DOCUMENTS).index(name))
    at = [match.finding.path for match in found.matches for value in match.parts.values()
          if value.reveal().decode() == token]  # fmt: skip
    assert at == [name + PLACES[name]]


def test_nothing_else_is_found_and_everything_was_read(found: Any) -> None:
    assert len(found.matches) == len(sample.DOCUMENTS)
    assert not found.incomplete


def test_lines_and_columns_are_those_of_the_piece(tmp_path: Path, scan: Scan, token: Token) -> None:
    (tmp_path / "a.db").write_bytes(sample.sqlite(f"one\ntwo {token(1)}"))
    (match,) = (each for each in scan(tmp_path).matches if each.finding.rule == "github-pat")
    assert (match.finding.span.line, match.finding.span.column) == (2, 5)


def test_a_text_larger_than_a_window_is_read_whole(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    (tmp_path / "a.db").write_bytes(sample.sqlite("x\n" * (1 << 20) + token(1)))
    assert scan(tmp_path).places == [("a.db!users!row 17.token", (1 << 20) + 1)]


def test_documents_are_opened_wherever_they_are(tmp_path: Path, scan: Scan, token: Token) -> None:
    inner = office_sample.zipped({"a/b.pdf": sample.pdf(token(1)), "c.db": sample.sqlite(token(2))})
    (tmp_path / "all.zip").write_bytes(inner)
    (tmp_path / "d.pdf.gz").write_bytes(gzip.compress(sample.pdf(token(3))))
    assert scan(tmp_path).places == [
        ("all.zip!a/b.pdf!page 4", 1),
        ("all.zip!c.db!users!row 17.token", 1),
        ("d.pdf.gz!d.pdf!page 4", 1),
    ]


def test_history_and_head_know_documents(scan: Scan, repo: Repo, token: Token) -> None:
    for name, data in (
        ("a.docx", office_sample.docx(token(1))),
        ("b.eml", sample.mail(token(2))),
        ("c.pdf", sample.pdf(token(3))),
    ):
        (repo.path / name).write_bytes(data)
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "documents")
    (repo.path / "c.pdf").unlink()
    repo.git("commit", "-q", "-a", "-m", "away")
    past = {
        match.finding.path: match.finding.provenance.in_head
        for match in scan(repo.path, worktree=False).matches
    }
    assert past == {"a.docx!paragraph 2": True, "b.eml!body": True, "c.pdf!page 4": False}


def test_a_mail_keeps_its_own_lines_and_no_part_counts_twice(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    plain = f"From: a@b\nX-Key: {token(1)}\n" + sample.mail_attachment(token(2)).decode()
    (tmp_path / "a.eml").write_text(plain)
    assert scan(tmp_path).places == [("a.eml", 2), ("a.eml!keys.docx!paragraph 2", 1)]


def test_what_a_cell_shares_is_said_at_its_first_cell(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    book = office_sample.xlsx(token(1))
    (tmp_path / "a.xlsx").write_bytes(book)
    assert scan(tmp_path).places == [("a.xlsx!Keys!B7", 1)]


def test_a_cell_stands_beside_its_name(tmp_path: Path, scan: Scan) -> None:
    secret = "".join("b7Kq9ZrT2mWx4LpV8nYs"[at] for at in range(20))
    body = (
        '<table:table table:name="T"><table:table-row>'
        "<table:table-cell><text:p>password:</text:p></table:table-cell>"
        f"<table:table-cell><text:p>{secret}</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    (tmp_path / "a.ods").write_bytes(office_sample.open_document("spreadsheet", body))
    assert scan(tmp_path).places == [("a.ods!T!B1", 1)]


def test_long_texts_are_cut_between_paragraphs_only(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    paragraph = f"<w:p><w:r><w:t>{'x' * 999} {{}}</w:t></w:r></w:p>"
    body = "".join(paragraph.format(token(number)) for number in range(2500))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    text = f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    (tmp_path / "a.docx").write_bytes(office_sample.office("word/document.xml", text))
    assert len(scan(tmp_path).matches) == 2500


def test_a_paragraph_of_many_megabytes_is_read(tmp_path: Path, scan: Scan, token: Token) -> None:
    long = "x " * (2 << 20)
    (tmp_path / "a.docx").write_bytes(office_sample.docx(f"{long}{token(1)}"))
    assert [path for path, _ in scan(tmp_path).places] == ["a.docx!paragraph 2"]


def test_a_table_of_settings_names_its_values(tmp_path: Path, scan: Scan) -> None:
    secret = "".join("b7Kq9ZrT2mWx4LpV8nYs"[at] for at in range(20))
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute("create table wp_options (option_id integer, option_name text, option_value text)")
    base.execute("insert into wp_options values (1, 'smtp_password', ?)", (secret,))
    base.commit()
    base.close()
    assert scan(tmp_path).places == [("a.db!wp_options!row 1.option_value", 1)]


def test_compiled_python_is_read_where_its_source_is_not(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    source = tmp_path / "a.py"
    source.write_text(f"x = '{token(1)}'\n")
    py_compile.compile(str(source))
    (compiled,) = (tmp_path / "__pycache__").iterdir()
    assert scan(tmp_path).places == [("a.py", 1)]
    source.write_text("x = 1\n")  # what was compiled still has it
    assert scan(tmp_path).places == [(f"__pycache__/{compiled.name}!string 1", 1)]
