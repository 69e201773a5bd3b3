"""The place inside of a text that has structure: recorded traffic, notebooks, states, histories.

It is asked for findings only, so that a text without any costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from stanch.scanner.model.fragment import Fragment
from stanch.scanner.sources.content.document import json_place, shell_history

LARGEST = 1 << 20
"""Bytes; of a larger text the beginning is not at hand."""
_LARGEST_YAML = 256 << 10  # bytes: it is read slowly
_JSON = re.compile(
    r"(?i)\.(?:json|har|ipynb|tfstate(?:\.[\w.]+)?|jsonl|ndjson|webmanifest|code-workspace)\Z"
)
_LINES = re.compile(r"(?i)\.(?:jsonl|ndjson)\Z")
_YAML = re.compile(r"(?i)\.ya?ml\Z")
_RECORDED = re.compile(rb"(?m)^(?:http_)?interactions:")
_HISTORY = re.compile(r"(?i)(?:_|\A|/)(?:history|histfile)\Z|/\.(?:bash|zsh)_history|\.zhistory\Z")


Reader = Callable[[bytes, Sequence[int]], Mapping[int, str]]


def reader(fragment: Fragment) -> Reader | None:
    """What knows the places of offsets in that text; None when it has no structure."""
    path, size = fragment.provenance.path, len(fragment.data)
    if _LINES.search(path):
        return _in_lines
    window = fragment.owned is not None
    if fragment.places is not None or (fragment.whole is None if window else size > LARGEST):
        return None  # it has names already, or its beginning is not at hand
    if _JSON.search(path):
        return json_place.places
    if _HISTORY.search(path):
        return shell_history.places
    if _YAML.search(path) and size <= _LARGEST_YAML and _RECORDED.search(fragment.data):
        from stanch.scanner.sources.content.document import yaml_place  # noqa: PLC0415  # loads slowly

        return yaml_place.places
    return None


def _in_lines(data: bytes, offsets: Sequence[int]) -> Mapping[int, str]:
    """Each line is a document; a line that is cut off by a window says nothing."""
    found = {}
    for offset in offsets:
        begin, end = data.rfind(b"\n", 0, offset) + 1, data.find(b"\n", offset)
        line = data[begin : end if end >= 0 else len(data)]
        if line[:1] in (b"{", b"[") and len(line) <= LARGEST:
            found[offset] = json_place.places(line, [offset - begin]).get(offset - begin, "")
    return found
