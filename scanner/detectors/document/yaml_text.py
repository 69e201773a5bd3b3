"""YAML: the block around a place, by libyaml's events, with templates masked.

Only the lines of the mapping around the place are parsed. What a template engine writes in between
(Helm, Jinja) is masked by as many other bytes, so that positions hold. Where a part is no YAML its
neighbours are read without it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import pairwise

import yaml

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.node import Items, Mapping, Node, Scalar
from stanch.scanner.detectors.text.regex_cache import regex

_INSERTED = rb"(?:\{\{[^{}]*+\}\}|\{%[^%{}]*+%\}|<%[^%<>]*+%>)"
_TEMPLATE = regex(_INSERTED)
_ALONE = regex(rb"(?m)^[ \t]*(?:%b[ \t]*)++(?:#[^\n]*)?$" % _INSERTED)
_MARK = b"\xef\xbb\xbf"  # a byte order mark is no part of the first key
_LINE = regex(rb"[^\n]*\n?")
_KEY = regex(rb"(?P<indent>[ ]*)(?P<dash>-[ ]+)?(?:[\"']?[\w./-]+[\"']?[ ]*:)")
_BORDER = regex(rb"(?:---|\.\.\.)(?:[ \t].*)?\s*$")
#: YAML allows few of these and libyaml stops at others; positions are all that is kept of them.
_PLAIN = bytes(
    byte if chr(byte) in string.printable and byte not in b"\x0b\x0c" else ord("x")
    for byte in range(256)
)


def around(data: bytes, place: int, budget: Budget) -> Mapping | None:
    """The mapping to which the key at ``place`` belongs; ``place`` is behind the key's quote."""
    start, end, indent = _extent(data, place, budget)
    text = _masked(data[start:end], indent)
    builder = _Builder(data, start, place)
    if _composed(builder, text, budget):
        return builder.found
    found = builder.found or Mapping()
    for first, last in _parts(text, indent):  # one part is no YAML: each key by itself
        if not budget.spend(_PART):
            break
        part = _Builder(data, start + first, -1)
        _composed(part, text[first:last], budget)
        if isinstance(part.root, Mapping):
            known = {key for key, _ in found.items}
            found.items.extend(each for each in part.root.items if each[0] not in known)
    return found if found.items else None


def _extent(data: bytes, place: int, budget: Budget) -> tuple[int, int, int]:
    """The lines of the block around a place, and in which column its keys begin."""
    here = data.rfind(b"\n", 0, place) + 1
    key = _KEY.match(data, here or len(data) - len(data.removeprefix(_MARK)))
    indent = len(key["indent"]) + len(key["dash"] or b"") if key else 0
    start = here
    if not (key and key["dash"]):
        start = _upwards(data, here, indent, budget)
    end = here
    for line in _lines(data, here):
        if end != here and (_ends(line, indent) or not budget.spend()):
            break
        end += len(line)
    return start or len(data) - len(data.removeprefix(_MARK)), end, indent


def _upwards(data: bytes, here: int, indent: int, budget: Budget) -> int:
    """Where the block begins whose line at ``here`` has this indentation."""
    start = here
    while start:
        above = data.rfind(b"\n", 0, start - 1) + 1
        line = data[above:start]
        key = _KEY.match(line)
        if key and key["dash"] and len(key["indent"]) + len(key["dash"]) == indent:
            return above  # `- apiVersion: v1` begins the item
        if _ends(line, indent) or not budget.spend():
            break
        start = above
    return start


def _lines(data: bytes, start: int) -> Iterator[bytes]:
    while start < len(data):
        line = _LINE.match(data, start)
        if not line:
            return
        yield line[0]
        start = line.end()


def _ends(line: bytes, indent: int) -> bool:
    """Whether a line belongs to what is around the block."""
    bare = line.strip()
    if not bare or bare[:1] == b"#" or _ALONE.fullmatch(line.rstrip()):
        return False
    if _BORDER.match(line):
        return True
    return len(line) - len(line.lstrip(b" ")) < indent


def _masked(text: bytes, indent: int) -> bytes:
    """The block alone: no dash in front of its first key, no template, only ASCII."""
    lead = text[:indent]
    if lead.strip(b" ") == b"-":
        text = b" " * indent + text[indent:]
    if b"{{" in text or b"{%" in text or b"<%" in text:
        text = _ALONE.sub(lambda found: b" " * len(found[0]), text)
        text = _TEMPLATE.sub(lambda found: re.sub(rb"[^\n]", b"x", found[0]), text)
    return text.translate(_PLAIN)


def _parts(text: bytes, indent: int) -> Iterator[tuple[int, int]]:
    """Where each key of the block begins and ends, with what belongs to it."""
    keys = re.compile(rb"(?m)^[ ]{%d}[\"']?[\w./-]+[\"']?[ ]*:" % indent)
    starts = [found.start() for found in keys.finditer(text)]
    yield from pairwise([*starts, len(text)])


def _composed(builder: _Builder, text: bytes, budget: Budget) -> bool:
    """Feed the first document in ``text`` to ``builder``; whether it could be read whole."""
    try:
        for event in yaml.parse(text.decode("ascii"), Loader=yaml.CSafeLoader):
            if not budget.spend(_EVENT) or isinstance(event, yaml.DocumentEndEvent):
                break
            if not builder.take(event):
                budget.spent = True
                break
    except yaml.YAMLError:
        return False
    return True


#: What one event costs, in tokens of JSON.
_EVENT = 3
_PART = 20  # and what it costs to begin
_DEEPEST = 100  # libyaml needs time by the square of it


class _Builder:
    """Nodes from events, with a stack of its own: depth costs nothing."""

    def __init__(self, data: bytes, base: int, place: int) -> None:
        self.root: Node | None = None
        self.found: Mapping | None = None
        self._place = place
        self._data = data
        self._base = base
        self._open: list[Mapping | Items] = []
        self._keys: list[bytes | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: yaml.Event) -> bool:
        """Add one event; false when the document goes deeper than people write."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            known = self._anchors.get(event.anchor or "")
            self._put(known or Scalar(self._data, self._base, self._base, b""))
        elif isinstance(event, yaml.CollectionStartEvent):
            node = Mapping() if isinstance(event, yaml.MappingStartEvent) else Items()
            self._put(node)
            if event.anchor:
                self._anchors[event.anchor] = node
            self._open.append(node)
            self._keys.append(None)
        elif isinstance(event, yaml.CollectionEndEvent) and self._open:
            self._open.pop()
            self._keys.pop()
        return len(self._open) <= _DEEPEST

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.start_mark is None or event.end_mark is None:
            return
        start, end = self._base + event.start_mark.index, self._base + event.end_mark.index
        style = (event.style or "").encode()
        if style in (b'"', b"'"):
            start, end = start + 1, end - 1
        elif style:
            start, end = self._block(start, end)
        node = Scalar(self._data, start, end, style)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._put(node)

    def _block(self, start: int, end: int) -> tuple[int, int]:
        """The text below `|` or `>`, from its first sign to its last."""
        body = self._data.find(b"\n", start, end) + 1 or end
        text = self._data[body:end]
        return body + len(text) - len(text.lstrip()), body + len(text.rstrip())

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = self.root or node
            return
        holder = self._open[-1]
        if isinstance(holder, Items):
            holder.items.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = node.text if isinstance(node, Scalar) else b""
            if isinstance(node, Scalar) and node.start == self._place:
                self.found = holder
        else:
            holder.items.append((self._keys[-1], node))
            self._keys[-1] = None
