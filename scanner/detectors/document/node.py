"""What a document is made of: scalars with their place in the text, mappings, and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stanch.scanner.detectors.text.regex_cache import regex

_HEX = rb"[0-9A-Fa-f]"
_ESCAPE = regex(
    rb"\\(?:u(?P<high>[Dd][89ABab]%b{2})\\u(?P<low>[Dd][C-Fc-f]%b{2})|u(?P<four>%b{4})"
    rb"|u\{(?P<any>%b{1,6})\}|x(?P<two>%b{2})|U(?P<eight>%b{8})|\r?\n[ \t]*|(?P<sign>.))"
    % ((_HEX,) * 6),
    re.DOTALL,
)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"b": b"\b", b"f": b"\f"}
_FOLD = regex(rb"[ \t]*\r?\n\s*")
_MERGE = b"<<"
_BLOCK = (b"|", b">")
_BACKSLASH = b"\\"
_CODE_POINTS = 0x110000
_SURROGATES = range(0xD800, 0xE000)


class Scalar:
    """One value: ``data[start:end]`` without its quotes.

    ``style`` is the sign that opened it: a quote, ``|`` or ``>`` of a block, nothing for a bare
    one. ``depth`` counts the strings around it, in each of which its escapes are escaped once more.
    """

    __slots__ = ("data", "depth", "end", "start", "style")

    def __init__(self, data: bytes, start: int, end: int, style: bytes, depth: int = 0) -> None:
        self.data = data
        self.start = start
        self.end = end
        self.style = style
        self.depth = depth

    @property
    def raw(self) -> bytes:
        """As it is written."""
        return self.data[self.start : self.end]

    @property
    def text(self) -> bytes:
        """What it says: escapes undone, lines joined as its style asks."""
        text = self.raw
        for _ in range(self.depth):
            text = unescaped(text)
        if self.style in _BLOCK:
            return b"\n".join(line.strip() for line in text.splitlines())
        if self.style == b'"':
            return unescaped(text)
        if self.style == b"'":
            text = text.replace(b"''", b"'")
        return _FOLD.sub(b" ", text) if b"\n" in text else text


class Mapping:
    """Keys and what they lead to, in the order of the text; a key may come twice."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[tuple[bytes, Node]] = []

    def entries(self) -> Iterator[tuple[bytes, Node]]:
        """Keys and what they lead to, with those of a mapping that is merged into it."""
        for key, node in self.items:
            if key == _MERGE and isinstance(node, Mapping):
                yield from node.items
            else:
                yield key, node

    def get(self, *names: bytes) -> Node | None:
        """What the first of ``names`` that is there leads to."""
        return next((node for name in names for key, node in self.items if key == name), None)

    def scalar(self, *names: bytes) -> Scalar | None:
        """The same, when it is one value."""
        found = self.get(*names)
        return found if isinstance(found, Scalar) else None

    def text(self, *names: bytes) -> bytes:
        """What that value says; nothing when it is not there or is no value."""
        found = self.scalar(*names)
        return found.text if found else b""


class Items:
    """A list."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Node] = []


Node = Scalar | Mapping | Items


def mappings(roots: Sequence[Node]) -> Iterator[Mapping]:
    """Every mapping in the documents, each once: an alias leads to what is there already."""
    waiting: list[Node] = list(reversed(roots))
    known: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar) or id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, Mapping):
            yield node
            waiting.extend(value for _, value in reversed(node.items))
        else:
            waiting.extend(reversed(node.items))


def scalars(root: Node) -> Iterator[Scalar]:
    """Every value in the node."""
    waiting: list[Node] = [root]
    known: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            yield node
        elif id(node) not in known:
            known.add(id(node))
            within = [value for _, value in node.items] if isinstance(node, Mapping) else node.items
            waiting.extend(reversed(within))


def unescaped(text: bytes) -> bytes:
    r"""``text`` without the escapes of JSON and of YAML's double quotes."""
    return _ESCAPE.sub(_character, text) if _BACKSLASH in text else text


def _character(escape: re.Match[bytes]) -> bytes:
    if escape["high"]:
        return bytes.fromhex((escape["high"] + escape["low"]).decode()).decode("utf-16-be").encode()
    code = escape["four"] or escape["any"] or escape["two"] or escape["eight"]
    if code is None:  # a line's end folds, any other sign is itself
        return _SIMPLE.get(escape["sign"], escape["sign"]) if escape["sign"] else b""
    point = int(code, 16)
    return chr(point).encode() if point < _CODE_POINTS and point not in _SURROGATES else b"?"
