"""Escapes text so that it stays text in GitHub-flavoured Markdown, tables included."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!{}])")
# At the start of a line these would begin a list, a rule or a heading.
_LEADING = re.compile(r"\A\s*(\d{0,9})([-+.)](?=\s|\Z)|[-=](?=[-=]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def escape_markdown(value: object) -> str:
    """``value`` as Markdown that shows exactly its characters: no link, mention, tag or table cell.

    Jinja calls this for every expression of the Markdown template.
    """
    plain = " ".join(str(value).split("\n"))
    safe = _SPECIAL.sub(r"\\\1", "".join(_ENTITIES.get(char, char) for char in plain))
    # Bare addresses become links by themselves (GFM, autolinks).
    safe = safe.replace("&\\#64;", "&#64;").replace("://", ":&#47;&#47;")
    safe = re.sub(r"(?i)\bwww\.", "www&#46;", safe)
    return _LEADING.sub(r"\1\\\2", safe)
