"""What people see, and what strangers' text cannot do to it."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from stanch.responder.domain.error import UsageError
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.chart import chart
from stanch.responder.postmortem.markdown import escape_markdown
from stanch.responder.postmortem.render import html, markdown, write

NOW = datetime(2026, 3, 14, 9, 28, 53, 120_000, tzinfo=UTC)
Hostile = Callable[[CaseFile, str], CaseFile]
ATTACKS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '"></title></desc></svg><svg onload=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "| a | b |\n|---|---|\n# heading\n- [x](javascript:alert(1)) ![i](https://evil.example/p.png)",
    "https://evil.example www.evil.example @everyone #1 <!channel> a@evil.example",
    "\u202egnp.exe\u202c \u200b\ufeff\x1b[31m\x00\x07\ud800",
)


class Page(HTMLParser):
    """Collects tags and attributes as a browser would read them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)
        self.ids.extend(value or "" for name, value in attrs if name == "id")


def read(page: str) -> Page:
    parser = Page()
    parser.feed(page)
    parser.close()
    return parser


def test_the_markdown_of_a_finished_incident(case: CaseFile, snapshot: SnapshotAssertion) -> None:
    assert markdown(build(case, now=NOW)) == snapshot


def test_the_page_of_a_finished_incident(case: CaseFile, snapshot: SnapshotAssertion) -> None:
    page = html(build(case, now=NOW))
    assert re.sub(r"<style>.*?</style>", "<style/>", page, flags=re.DOTALL) == snapshot


def test_the_markdown_of_an_unfinished_incident(
    unfinished: CaseFile, snapshot: SnapshotAssertion
) -> None:
    assert markdown(build(unfinished, now=NOW)) == snapshot


def test_the_markdown_of_a_regression(regressed: CaseFile, snapshot: SnapshotAssertion) -> None:
    assert markdown(build(regressed, now=NOW + timedelta(hours=1))) == snapshot


def test_the_picture_is_well_formed_named_and_described(case: CaseFile) -> None:
    root = ET.fromstring(chart(build(case, now=NOW)))  # noqa: S314  # our own output
    assert root.attrib["role"] == "img"
    assert root.find("title") is not None
    about = root.find("desc")
    assert about is not None
    assert about.text
    assert "Proven dead" in about.text


def test_the_page_loads_nothing_and_runs_nothing(case: CaseFile) -> None:
    page = html(build(case, now=NOW))
    parsed = read(page)
    assert not parsed.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    for name, value in parsed.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "style", "srcset", "xlink:href"}
        assert name != "href" or value.startswith("#")
    assert "://" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_the_only_address_outside_of_the_page_is_that_of_the_place(case: CaseFile) -> None:
    link = "https://github.com/acme/payments/blob/c0ffee/a#L1"
    first = replace(case.exposures[0], url=link)
    page = html(build(replace(case, exposures=(first, *case.exposures[1:])), now=NOW))
    away = [v for k, v in read(page).attributes if k == "href" and not v.startswith("#")]
    assert away == [link]
    forged = replace(first, url="javascript:alert(1)")
    assert "javascript" not in html(build(replace(case, exposures=(forged,)), now=NOW))


def test_every_link_in_the_page_has_its_target(case: CaseFile) -> None:
    parsed = read(html(build(case, now=NOW)))
    targets = [value[1:] for name, value in parsed.attributes if name == "href"]
    assert targets
    assert set(targets) <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))


def test_the_policy_names_the_hash_of_the_style(case: CaseFile) -> None:
    page = html(build(case, now=NOW))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in page or f"style-src 'sha256-{digest}'" in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_stays_text_in_the_page(case: CaseFile, hostile: Hostile, attack: str) -> None:
    parsed = read(html(build(case, now=NOW)))
    attacked = read(html(build(hostile(case, attack), now=NOW)))
    assert attacked.tags <= parsed.tags | {"br", "span", "h3"}
    assert not any(name.startswith("on") or name == "src" for name, _ in attacked.attributes)
    assert all(v.startswith("#") for name, v in attacked.attributes if name == "href")
    ET.fromstring(chart(build(hostile(case, attack), now=NOW)))  # noqa: S314  # our own output


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_stays_text_in_markdown(case: CaseFile, hostile: Hostile, attack: str) -> None:
    plain = markdown(build(case, now=NOW))
    text = markdown(build(hostile(case, attack), now=NOW))
    assert not re.search(r"(?<!\\)[<>]|https?://|www\.|(?<!\\)\]\(|\w@\w", text)
    heads = [line for line in plain.splitlines() if line.startswith("#")]
    assert len([line for line in text.splitlines() if line.startswith("#")]) == len(heads)
    columns = {
        len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")
    }
    assert columns <= {
        len(re.findall(r"(?<!\\)\|", line)) for line in plain.splitlines() if line.startswith("|")
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_invisible_reaches_the_reader(
    case: CaseFile, hostile: Hostile, attack: str
) -> None:
    report = build(hostile(case, attack), now=NOW)
    for page in (html(report), markdown(report)):
        assert all(char.isprintable() or char == "\n" for char in page)
        page.encode()


def test_huge_text_is_cut_and_says_how_much(case: CaseFile, hostile: Hostile) -> None:
    page = html(build(hostile(case, "A" * 1_000_000), now=NOW))
    assert len(page) < 300_000
    assert "more characters" in page


@given(st.text())
def test_no_text_escapes_from_markdown(text: str) -> None:
    escaped = escape_markdown(text)
    assert not re.search(r"[<>]|://", escaped)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*_\[\]]", escaped.replace("\\\\", ""))


def test_both_pages_are_written_whole_and_for_the_owner_alone(
    case: CaseFile, tmp_path: Path
) -> None:
    report = build(case, now=NOW)
    md, page = write(report, tmp_path / "out")
    assert (md.name, page.name) == ("LK-7.md", "LK-7.html")
    assert md.read_text(encoding="utf-8") == markdown(report)
    assert page.read_text(encoding="utf-8") == html(report)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (md, page)} == {0o600}
    assert write(report, tmp_path / "out") == (md, page)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["LK-7.html", "LK-7.md"]


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(
    case: CaseFile, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        write(build(case, now=NOW), tmp_path / "file")
    assert "--out" in caught.value.remedy
