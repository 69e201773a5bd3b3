"""An export of a Slack workspace: messages by channel, day and time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.document.opening import Opening, Text
from stanch.scanner.sources.content.document.part import Read
from stanch.scanner.sources.content.json_size import values

_DAY = re.compile(r"(?P<channel>[^/]+)/(?P<day>\d{4}-\d{2}-\d{2})\.json")
LARGEST = 32 << 20
"""Bytes of one day; a larger one is read as text."""
_MOST = 1_000_000  # values of one day; a message has some dozens
_LEAST = 4  # characters
_DEEPEST = 60


def read(opened: ZipFile, opening: Opening) -> Read:
    """Each message as `channel/day!ts`, with everything in it that is text, as it is meant."""
    done: set[str] = set()
    text = Text(opening)
    for name in opened.namelist():
        found = _DAY.fullmatch(name)
        info = opened.getinfo(name)
        if not found or info.flag_bits & 1:
            continue
        try:
            with opened.open(name) as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST or values(data) > _MOST:
                continue
            messages = json.loads(data)
        except (ValueError, RecursionError):
            path = f"{opening.place.path}!{name}"
            yield Gap(path=path, why="damaged: no JSON; read as plain text", incomplete=False)
            continue
        where = f"{display(found['channel'])}/{found['day']}"
        for message in messages if isinstance(messages, list) else ():
            stamp = message.get("ts") if isinstance(message, dict) else None
            said = "\n".join(_said(message))
            called = f"{where}!ts {display(str(stamp))[:20]}"
            yield from text.add(called, said.encode("utf-8", "replace"))
        done.add(name)
    yield from text.done()
    return frozenset(done)


def _said(message: Any) -> list[str]:
    """What a message says; Slack keeps its text a second time, in pieces."""
    main = _meant(message.get("text")) if isinstance(message, dict) else ""
    return [main, *(each for each in _texts(message, 0) if each not in main)]


def _meant(said: Any) -> str:
    """Slack writes `&`, `<` and `>` as HTML does."""
    if not isinstance(said, str):
        return ""
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Every text in a message, with its name."""
    items = value.items() if isinstance(value, dict) else ()
    for key, each in items or (("", one) for one in (value if isinstance(value, list) else ())):
        if isinstance(each, str):
            said = _meant(each)
            if len(said) >= _LEAST:
                yield said if key in {"", "text"} else f"{key} = {said}"
        elif depth < _DEEPEST:
            yield from _texts(each, depth + 1)
