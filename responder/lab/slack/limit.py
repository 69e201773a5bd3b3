"""What Slack refuses: the limits of messages, modals and blocks as one table, and its walker.

Slack's reference gives most numbers (https://docs.slack.dev/reference/block-kit/blocks); the total
text of a message is undocumented and was seen to fail from about 11,300 characters, so this server
refuses from 10,000. Stricter than Slack where Slack is silent: an unknown field is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

Json = Any  # as parsed from a request: checked here, trusted nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class String:
    """A bare string of ``low`` to ``high`` characters."""

    high: int
    low: int = 1
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text object; ``plain`` forbids mrkdwn."""

    high: int
    plain: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list of ``low`` to ``high`` things, each of a type that ``of`` names."""

    of: str
    high: int
    low: int = 1
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One thing of a type that ``of`` names."""

    of: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A flag or a number: only its type is checked."""

    of: type
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A button's style word, or the style flags of rich text."""

    words: tuple[str, ...] = ("primary", "danger")
    required: bool = False


Field = String | Text | Items | One | Scalar | Style

_ID = String(high=255)
_ACTION: dict[str, Field] = {"action_id": _ID}
_OPTIONS: dict[str, Field] = {"options": Items(of="option", high=10, required=True)}
_RICH = Items(of="rich_inline", high=1000, low=0, required=True)

SHAPES: Mapping[str, Mapping[str, Field]] = {
    "header": {"block_id": _ID, "text": Text(high=150, plain=True, required=True)},
    "divider": {"block_id": _ID},
    "section": {
        "block_id": _ID,
        "text": Text(high=3000),
        "fields": Items(of="field", high=10),
        "accessory": One(of="accessory"),
        "expand": Scalar(of=bool),
    },
    "context": {"block_id": _ID, "elements": Items(of="context_element", high=10, required=True)},
    "actions": {"block_id": _ID, "elements": Items(of="action_element", high=25, required=True)},
    "input": {
        "block_id": _ID,
        "label": Text(high=2000, plain=True, required=True),
        "hint": Text(high=2000, plain=True),
        "element": One(of="input_element", required=True),
        "optional": Scalar(of=bool),
        "dispatch_action": Scalar(of=bool),
    },
    "rich_text": {"block_id": _ID, "elements": Items(of="rich_part", high=100, required=True)},
    "rich_text_section": {"elements": _RICH},
    "rich_text_preformatted": {"elements": _RICH, "border": Scalar(of=int)},
    "text": {
        "text": String(high=3000, required=True),
        "style": Style(words=("bold", "italic", "strike", "code")),
    },
    "button": _ACTION
    | {
        "text": Text(high=75, plain=True, required=True),
        "value": String(high=2000),
        "url": String(high=3000),
        "style": Style(),
        "accessibility_label": String(high=75),
        "confirm": One(of="confirm"),
    },
    "radio_buttons": _ACTION | _OPTIONS | {"initial_option": One(of="option")},
    "checkboxes": _ACTION | _OPTIONS,
    "static_select": _ACTION
    | {
        "options": Items(of="option", high=100, required=True),
        "placeholder": Text(high=150, plain=True),
        "initial_option": One(of="option"),
    },
    "plain_text_input": _ACTION
    | {
        "placeholder": Text(high=150, plain=True),
        "initial_value": String(high=3000, low=0),
        "multiline": Scalar(of=bool),
        "min_length": Scalar(of=int),
        "max_length": Scalar(of=int),
        "focus_on_load": Scalar(of=bool),
    },
    "option": {
        "text": Text(high=75, required=True),
        "value": String(high=150, required=True),
        "description": Text(high=75),
    },
    "confirm": {
        "title": Text(high=100, plain=True, required=True),
        "text": Text(high=300, required=True),
        "confirm": Text(high=30, plain=True, required=True),
        "deny": Text(high=30, plain=True, required=True),
        "style": Style(),
    },
}

VIEW: Mapping[str, Field] = {
    "title": Text(high=24, plain=True, required=True),
    "submit": Text(high=24, plain=True),
    "close": Text(high=24, plain=True),
    "callback_id": String(high=255),
    "external_id": String(high=255),
    "private_metadata": String(high=3000, low=0),
    "clear_on_close": Scalar(of=bool),
    "notify_on_close": Scalar(of=bool),
}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "message": ("header", "divider", "section", "context", "actions", "rich_text"),
    "modal": ("header", "divider", "section", "context", "actions", "input", "rich_text"),
    "accessory": ("button", "static_select", "radio_buttons", "checkboxes"),
    "action_element": ("button", "static_select", "radio_buttons", "checkboxes"),
    "input_element": ("plain_text_input", "static_select", "radio_buttons", "checkboxes"),
    "rich_part": ("rich_text_section", "rich_text_preformatted"),
    "rich_inline": ("text",),
    "option": ("option",),
    "confirm": ("confirm",),
}
_UNTYPED = ("option", "confirm")  # composition objects carry no "type"
_TEXTS: Mapping[str, int] = {"field": 2000, "context_element": 3000}

MESSAGE_BLOCKS = 50
MESSAGE_TEXT = 40_000
UPDATE_TEXT = 4_000
MESSAGE_TOTAL = 10_000
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
METADATA_BYTES = 16_000


def block_problems(blocks: Json, *, surface: str) -> list[str]:
    """What Slack would say against ``blocks`` on ``surface`` (``message`` or ``modal``)."""
    high = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    found = list(_walk(Items(of=surface, high=high), blocks, "/blocks"))
    if not found:
        found += _duplicates(blocks)
    return found


def view_problems(view: Json) -> list[str]:
    """What Slack would say against a modal."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return [_say("must be a modal", "/view/type")]
    found = [
        problem for key, field in VIEW.items() for problem in _member(field, view, key, "/view")
    ]
    known = VIEW.keys() | {"type", "blocks"}
    found += [_say(f"unknown field {key!r}", "/view") for key in view.keys() - known]
    found += block_problems(view.get("blocks"), surface="modal")
    if not found and "submit" not in view and any(b["type"] == "input" for b in view["blocks"]):
        found.append(_say("a modal with inputs must have a submit button", "/view/submit"))
    return found


def view_too_large(view: Json) -> bool:
    """True when the modal's JSON exceeds 250 kB."""
    return len(json.dumps(view).encode()) > VIEW_BYTES


def total_text(blocks: Json) -> int:
    """All characters a message's blocks show."""
    if isinstance(blocks, list):
        return sum(total_text(block) for block in blocks)
    if isinstance(blocks, dict):
        text = blocks.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(total_text(v) for v in blocks.values() if isinstance(v, dict | list))
    return 0


def _say(problem: str, pointer: str) -> str:
    return f"{problem} [json-pointer:{pointer}]"


def _member(field: Field, holder: Mapping[str, Json], key: str, at: str) -> Iterator[str]:
    if key in holder:
        yield from _walk(field, holder[key], f"{at}/{key}")
    elif field.required:
        yield _say(f"missing required field: {key}", at)


def _walk(field: Field, value: Json, at: str) -> Iterator[str]:
    match field:
        case String():
            yield from _string(value, field.low, field.high, at)
        case Text():
            yield from _text(field, value, at)
        case Items():
            yield from _items(field, value, at)
        case One():
            yield from _thing(field.of, value, at)
        case Scalar():
            if not isinstance(value, field.of):
                yield _say(f"must be {field.of.__name__}", at)
        case Style():
            if not set([value] if isinstance(value, str) else value) <= set(field.words):
                yield _say("unknown style", at)
        case _:
            assert_never(field)


def _items(field: Items, value: Json, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _say("must be a list", at)
    elif not field.low <= len(value) <= field.high:
        yield _say(f"must hold {field.low} to {field.high} items", at)
    else:
        for index, item in enumerate(value):
            yield from _thing(field.of, item, f"{at}/{index}")


def _string(value: Json, low: int, high: int, at: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _say("must be a string", at)
    elif len(value) > high:
        yield _say(f"must be less than {high + 1} characters", at)
    elif len(value) < low:
        yield _say(f"must be more than {low - 1} characters", at)


def _text(field: Text, value: Json, at: str) -> Iterator[str]:
    kinds = ("plain_text",) if field.plain else ("plain_text", "mrkdwn")
    if not isinstance(value, dict) or value.get("type") not in kinds:
        yield _say(f"must be a text object of type {' or '.join(kinds)}", at)
        return
    allowed = {"type", "text", "emoji" if value["type"] == "plain_text" else "verbatim"}
    for key in value.keys() - allowed:
        yield _say(f"unknown field {key!r}", at)
    yield from _string(value.get("text"), 1, field.high, f"{at}/text")


def _thing(group: str, value: Json, at: str) -> Iterator[str]:
    if group in _TEXTS:
        yield from _text(Text(high=_TEXTS[group]), value, at)
        return
    if not isinstance(value, dict):
        yield _say("must be an object", at)
        return
    kind = group if group in _UNTYPED else value.get("type")
    if kind not in GROUPS[group]:
        yield _say(f"unsupported type: {kind}", at)
        return
    shape = SHAPES[kind]
    for key in value.keys() - shape.keys() - {"type"}:
        yield _say(f"unknown field {key!r}", at)
    for key, field in shape.items():
        yield from _member(field, value, key, at)
    if kind == "section" and not {"text", "fields"} & value.keys():
        yield _say("a section needs text or fields", at)


def _duplicates(blocks: list[dict[str, Json]]) -> Iterator[str]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        name = block.get("block_id")
        if name in seen:
            yield _say(f"block_id {name!r} is used twice", f"/blocks/{index}")
        if name is not None:
            seen.add(name)
        actions = [e.get("action_id") for e in block.get("elements", ()) if "action_id" in e]
        if len(actions) != len(set(actions)):
            yield _say("action_id is used twice in a block", f"/blocks/{index}")
