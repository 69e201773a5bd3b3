"""Where in a text with structure a finding is: it keeps its line, and says its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.sources.content.document import json_place, yaml_place
from tests.scanner.conftest import Repo
from tests.scanner.documents import sample

Scan = Callable[..., Any]
Token = Callable[[int], str]

WITHIN = {
    "header.har": "entries[3].request.headers.Authorization",
    "body.har": "entries[3].response.content.text",
    "cassette.yaml": "interactions[0].response.body.string",
    "cassette.json": "interactions[0].request.headers.Authorization[0]",
    "x.postman_collection.json": "item[0].request.auth.bearer.token",
    "x.postman_environment.json": "values.apiToken",
    "terraform.tfstate": "resources[0].instances[0].attributes.value",
    "analysis.ipynb": "cells[0].outputs[0].text[1]",
    ".bash_history": "command of 2024-02-02T18:53:21Z",
    ".zsh_history": "command of 2024-02-02T18:53:21Z",
    "fish_history": "command of 2024-02-02T18:53:21Z",
}


@pytest.mark.parametrize("name", WITHIN)
def test_a_text_says_where_within(name: str, tmp_path: Path, scan: Scan, token: Token) -> None:
    data = sample.DOCUMENTS[name](token(1))
    (tmp_path / name).write_bytes(data)
    (match,) = scan(tmp_path).matches
    assert (match.finding.path, match.finding.within) == (name, WITHIN[name])
    if token(1).encode() in data:
        line = data.split(b"\n")[match.finding.span.line - 1]
        assert line[match.finding.span.column - 1 :].startswith(token(1).encode())


def test_each_line_of_json_lines_is_a_document(tmp_path: Path, scan: Scan, token: Token) -> None:
    lines = [{"message": {"content": [{"text": each}]}} for each in ("hello", token(1))]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    (match,) = scan(tmp_path).matches
    assert (match.finding.span.line, match.finding.within) == (2, "message.content[0].text")


def test_a_recording_of_several_windows_names_places(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    sent = [{"headers": [{"name": "X", "value": f"{n:060} "}]} for n in range(40_000)]
    sent[30_000]["headers"][0] = {"name": "Authorization", "value": token(1)}
    (tmp_path / "a.har").write_text(json.dumps({"log": {"entries": sent}}, indent=1))
    (match,) = scan(tmp_path).matches
    assert match.finding.within == "entries[30000].headers.Authorization"


def test_a_place_that_would_say_the_value_says_nothing(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    (tmp_path / "a.json").write_text(json.dumps({token(1): {"again": token(1)}}))
    assert [match.finding.within for match in scan(tmp_path).matches] == ["", ""]


def test_history_says_it_too(scan: Scan, repo: Repo, token: Token) -> None:
    repo.commit("a.json", json.dumps({"a": [0, 1], "b": {"c": "x"}}, indent=1))
    repo.commit("a.json", json.dumps({"a": [0, token(1)], "b": {"c": "x"}}, indent=1))
    (match,) = scan(repo.path, worktree=False).matches
    assert match.finding.within == "a[1]"


_JSON = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=_JSON, before=_JSON)
def test_the_place_is_the_way_through_the_document(value: Any, before: Any) -> None:
    whole = {"x": before, "y": [before, {"z": value, "needle": "here it is"}]}
    data = json.dumps(whole).encode()
    at = data.rindex(b"here it is")
    assert json_place.places(data, [at])[at] == "y[1].needle"


@given(data=st.binary(max_size=200), at=st.integers(0, 200))
def test_no_text_makes_it_raise(data: bytes, at: int) -> None:
    json_place.places(data, [at])
    yaml_place.places(data, [at])
