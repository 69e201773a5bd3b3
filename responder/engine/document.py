"""YAML as a person wrote it: every value knows its file and line, and nothing is guessed.

Scalars stay text (``no`` is not false here), aliases, anchors and tags are refused, size and depth
are bounded before anything is built.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from stanch.responder.domain.error import RunbookError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text, exactly as written."""

    text: str
    origin: str  # file:line


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of values."""

    items: tuple[Node, ...]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A mapping with text keys; ``lines`` says where each key stands."""

    entries: Mapping[str, Node]
    lines: Mapping[str, str]
    origin: str

    def check(self, *, known: Sequence[str], required: Sequence[str] = ()) -> None:
        """Refuse keys that are not in ``known`` and miss those in ``required``."""
        for key in self.entries:
            if key not in known:
                raise RunbookError(
                    f"{self.lines[key]}: unknown key {key!r}", remedy=nearest(key, known)
                )
        for key in required:
            if key not in self.entries:
                raise RunbookError(
                    f"{self.origin}: the key {key!r} is missing", remedy=f"add `{key}:` there"
                )

    def text(self, key: str, default: str = "") -> str:
        """The scalar under ``key``, or ``default`` when the key is absent."""
        return scalar(self.entries[key]).text if key in self.entries else default

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of scalars under ``key``; empty when the key is absent."""
        if key not in self.entries:
            return ()
        return tuple(scalar(item).text for item in listing(self.entries[key]).items)

    def where(self, key: str) -> str:
        """``file:line`` of the key, or of the table when the key is absent."""
        return self.lines.get(key, self.origin)


Node = Scalar | Listing | Table


def read(raw: bytes, name: str) -> Table:
    """The table that a YAML file holds. ``name`` is what errors call the file."""
    if len(raw) > MAX_BYTES:
        raise RunbookError(
            f"{name}: larger than {MAX_BYTES // 1024} KiB", remedy="split it into several files"
        )
    try:
        text = raw.decode("utf-8")
        _refuse_the_clever(text, name)
        return table(_value(yaml.compose(text, Loader=yaml.SafeLoader), name))
    except UnicodeDecodeError as error:
        raise RunbookError(
            f"{name}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8"
        ) from None
    except yaml.MarkedYAMLError as error:
        # Where the broken thing begins says more than where the parser gave up.
        mark = error.context_mark or error.problem_mark
        line = mark.line + 1 if mark else 1
        raise RunbookError(
            f"{name}:{line}: not valid YAML: {error.problem}", remedy="see docs/runbooks.md"
        ) from None
    except yaml.YAMLError as error:
        raise RunbookError(
            f"{name}: not valid YAML: {error}", remedy="see docs/runbooks.md"
        ) from None


def scalar(node: Node) -> Scalar:
    """``node`` as a text, or an error that says where."""
    if not isinstance(node, Scalar):
        raise RunbookError(f"{node.origin}: a text is expected here", remedy="write one value")
    return node


def listing(node: Node) -> Listing:
    """``node`` as a list, or an error that says where."""
    if not isinstance(node, Listing):
        raise RunbookError(
            f"{node.origin}: a list is expected here", remedy="write [a, b] or lines with `- `"
        )
    return node


def table(node: Node) -> Table:
    """``node`` as a mapping, or an error that says where."""
    if not isinstance(node, Table):
        raise RunbookError(
            f"{node.origin}: `key: value` lines are expected here", remedy="see docs/runbooks.md"
        )
    return node


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest valid word, or all of them."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(choices)}" if choices else "nothing can be named here"


def _refuse_the_clever(text: str, name: str) -> None:
    """Bound the depth and refuse anchors, aliases and tags while nothing is built yet."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = f"{name}:{_line(event)}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RunbookError(f"{line}: YAML aliases are not allowed", remedy="write it out")
        if getattr(event, "tag", None):
            raise RunbookError(f"{line}: YAML tags are not allowed", remedy="remove the tag")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise RunbookError(f"{line}: nested too deeply", remedy="a runbook is nearly flat")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _value(node: yaml.Node | None, name: str) -> Node:
    if node is None:
        raise RunbookError(f"{name}:1: the file is empty", remedy="see docs/runbooks.md")
    origin = f"{name}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.ScalarNode):
        return Scalar(text=str(node.value), origin=origin)
    if isinstance(node, yaml.SequenceNode):
        return Listing(items=tuple(_value(item, name) for item in node.value), origin=origin)
    entries: dict[str, Node] = {}
    lines: dict[str, str] = {}
    for key_node, value_node in node.value:
        key = scalar(_value(key_node, name))
        if key.text in entries:
            raise RunbookError(
                f"{key.origin}: {key.text!r} is given twice", remedy=f"see {lines[key.text]}"
            )
        entries[key.text] = _value(value_node, name)
        lines[key.text] = key.origin
    return Table(entries=entries, lines=lines, origin=origin)
