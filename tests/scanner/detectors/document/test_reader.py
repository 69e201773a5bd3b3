"""JSON and YAML as nodes with positions, however they are written, cut off or put together."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.document.node import Items, Mapping, Node, Scalar
from stanch.scanner.detectors.document.reader import around

_WORDS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029\ufeff"
    ),
    min_size=1,
    max_size=12,
)
_TREES = st.recursive(
    _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=12,
)


def read(data: bytes, key: bytes = b"kind") -> Found | None:
    return around(data, data.index(key), Budget())


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text.decode()
    if isinstance(node, Items):
        return [plain(each) for each in node.items]
    return {key.decode(): plain(value) for key, value in node.items}


def mapping(data: bytes) -> Mapping:
    found = read(data)
    assert found is not None
    return found.mapping


@given(tree=_TREES)
def test_json_is_read_as_the_standard_library_reads_it(tree: object) -> None:
    for indent in (None, 2):
        text = json.dumps({"before": tree, "kind-of": "X", "after": tree}, indent=indent)
        found = around(text.encode(), text.index('"kind-of"') + 1, Budget())
        assert found is not None
        assert plain(found.mapping) == json.loads(text)


@given(tree=_TREES)
def test_json_within_a_string_is_read_the_same(tree: object) -> None:
    text = json.dumps({"body": json.dumps({"kind-of": "X", "after": tree})})
    found = around(text.encode(), text.index("kind-of"), Budget())
    assert found is not None
    assert plain(found.mapping) == {"kind-of": "X", "after": tree}


@given(tree=_TREES)
def test_yaml_is_read_as_libyaml_reads_it(tree: object) -> None:
    text = yaml.safe_dump({"after": tree, "kind-of": "X"}, allow_unicode=True, sort_keys=True)
    found = around(text.encode(), text.encode().index(b"kind-of"), Budget())
    assert found is not None
    want = {"after": tree, "kind-of": "X"}
    assert json.dumps(plain(found.mapping), sort_keys=True) == json.dumps(want, sort_keys=True)


@pytest.mark.parametrize(
    "text",
    [
        "kind: a\ndata:\n  b: c\n",
        "kind: a\ndata: {b: c}\n",
        "kind: a\ndata: # why\n  b: c\n",
        "kind: a\ndata: &d\n  b: c\n",
        "x: y\n---\ndata:\n  b: c\nkind: a\n---\nkind: other\n",
        "items:\n- data:\n    b: c\n  kind: a\n- data:\n    b: other\n",
        "items:\n  -   kind: a\n      data:\n        b: c\n",
        "kind: a\n{{- if .Values.on }}\ndata:\n{{ end }}\n  b: c\n",
        "{{ if x }}\nkind: a\nname: {{ .name }}\ndata:\n  b: c\nbad: @{{ .x }}\n",
        "kind: a\ndata:\n  b: c\nbroken: [\nlast: 1\n",
        '{"kind": "a", "data": {"b": "c"}}',
        '[{"x": {"y": "}"}},\n {"data": {"b": "c",}, // why\n  "kind": "a"}]',
        '{"data":{"b":"c"},"kind":"a"',
        "settings = {'kind': 'a', 'data': {'b': 'c'}}",
        'a = "{"\nb = {"kind": "a", "data": {"b": "c"}}',
        'BODY="{\\"kind\\": \\"a\\", \\"data\\": {\\"b\\": \\"c\\"}}"',
        "kind: a\r\ndata:\r\n  b: c\r\n",
        "\ufeffkind: a\ndata:\n  b: c\n",
    ],
)
def test_the_mapping_around_a_key_is_found(text: str) -> None:
    found = mapping(text.encode())
    data = found.get(b"data")
    assert found.text(b"kind") == b"a"
    assert isinstance(data, Mapping)
    assert data.text(b"b") == b"c"


def test_a_place_is_of_the_bytes_whatever_stands_in_front() -> None:
    text = "ä: ü\nkind: a\ndata:\n  ö: 'käse'\n  b: |\n    eins\n    zwei\n".encode()
    data = mapping(text).get(b"data")
    assert isinstance(data, Mapping)
    first, second = data.scalar("ö".encode()), data.scalar(b"b")
    assert first
    assert text[first.start : first.end].decode() == "käse"
    assert second
    assert second.raw == b"eins\n    zwei"
    assert second.text == b"eins\nzwei"


def test_an_alias_leads_to_what_its_anchor_names() -> None:
    found = mapping(b"one: &x {b: c}\nkind: a\ndata: *x\n")
    data = found.get(b"data")
    assert isinstance(data, Mapping)
    assert data.text(b"b") == b"c"


@pytest.mark.parametrize(
    "text",
    [
        b"{" * 400_000 + b'"kind": 1',
        b'[{"x":1,"y":' * 60_000 + b'"kind": 1',
        b'"{' * 200_000 + b'"kind": 1',
        b"{" + b"/* " * 200_000 + b'"kind": 1',
        b'{"' + b'\\"' * 300_000 + b'"kind": 1',
        b"kind: a\ndata: " + b"[" * 200_000,
        b"kind: a\ndata: " + b"{" * 200_000,
        b"kind: a\n" + b"? " * 200_000,
        b"kind: a\n" + b'a: "{{\n' * 60_000,
        b"kind: a\n" + b"a: @b\n" * 60_000,
        b"kind: a\n" + b"a: &a [*a,*a]\n" * 40_000,
        b"- " * 100_000 + b"\nkind: a\n",
        b"x\n" * 300_000 + b"kind: a\n",
    ],
)
def test_hostile_documents_end_soon(text: bytes) -> None:
    begun = time.process_time()
    around(text, text.rindex(b"kind"), Budget())
    assert time.process_time() - begun < 8


def test_what_was_not_read_is_said() -> None:
    budget = Budget(50)
    around(b"kind: a\n" + b"a: b\n" * 100, 0, budget)
    assert budget.spent
