"""Text from repositories, logs and attackers, made safe for Slack's text languages.

``said`` is for mrkdwn and the notification line, ``bare`` and ``exact`` are for plain_text and rich
text. Slack's escaping rules: https://docs.slack.dev/messaging/formatting-message-text/#escaping
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_ENTITY = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What mrkdwn would turn into formatting, an emoji (a forged tick!), a link or a mention.
_ACTIVE = re.compile(
    r"[*_~`]|:[+-]1:|:[0-9]*[a-z_][a-z0-9_+'-]*:|://|\bwww\.|@(?:channel|here|everyone)\b",
    re.IGNORECASE,
)
_SPAN = re.compile(r"`([^`]+)`([.,;:)]*)")
_WORD = re.compile(r"`[^`]+`[.,;:)]*(?=\s|$)|\S+")
_MENTION = re.compile(r"@(?=channel\b|here\b|everyone\b)", re.IGNORECASE)
_ADDRESS = re.compile(r"https://[^\s|<>]+")
_ELLIPSIS = "…"


def bare(text: str, high: int) -> str:
    """``text`` with every invisible character spelled out (``⟨U+202E⟩``), at most ``high`` long.

    Line breaks and tabs become spaces; never empty, because Slack refuses empty text.
    """
    flat = re.sub(r"[\t\r\n]+", " ", text[: high + 1])
    return clip(exact(flat).strip(), high) or "-"


def exact(text: str) -> str:
    """``text`` with every invisible character, line breaks too, spelled out: ``⟨U+202E⟩``."""
    return "".join(c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in text)


def said(text: str, high: int) -> str:
    """``text`` for mrkdwn, at most ``high`` long after escaping.

    A word that mrkdwn could act on is shown as inline code, where Slack acts on nothing; so is
    what the text itself puts between backticks.
    """
    pieces: list[str] = []
    room = high
    for word in _WORD.findall(bare(text, high)):
        piece = _word(word)
        if len(piece) > room - 2:  # the space, and the ellipsis of what follows
            pieces.append(_cut(word, room))
            break
        pieces.append(piece)
        room -= len(piece) + 1
    return " ".join(pieces)


def linked(url: str, high: int) -> str:
    """An address to press, shown whole; one that is too long or no plain one is only shown."""
    link = f"<{url.translate(_ENTITY)}>"
    return link if _ADDRESS.fullmatch(url) and len(link) <= high else said(url, high)


def _word(word: str) -> str:
    span = _SPAN.fullmatch(word)
    if span is not None:
        return _code(span[1]) + span[2]
    return _code(word) if _ACTIVE.search(word) else word.translate(_ENTITY)


def _code(text: str) -> str:
    # A modifier letter that looks like the backtick, which would end the code.
    return f"`{defused(text).replace('`', chr(0x02CB)).translate(_ENTITY)}`"


def _cut(word: str, room: int) -> str:
    """The beginning of ``word`` that fits; no entity is ever cut in two."""
    kept = word
    while kept and len(_word(kept)) >= room:
        over = len(_word(kept)) - room + 1
        kept = kept[: -max(1, over // len("&amp;"))]
    return f"{_word(kept)}{_ELLIPSIS}" if kept else _ELLIPSIS


def defused(text: str) -> str:
    """``text`` in which no link and no group mention can come alive, visibly altered."""
    dead = text.replace("://", "[:]//")
    dead = re.sub(r"\bwww\.", "www[.]", dead, flags=re.IGNORECASE)
    return _MENTION.sub("@ ", dead)


def clip(text: str, high: int) -> str:
    """``text``, cut to ``high`` characters with an ellipsis when it is longer."""
    return text if len(text) <= high else text[: high - 1] + _ELLIPSIS


def moment(at: datetime) -> str:
    """An instant that each reader sees in their own time zone; UTC where Slack cannot."""
    form = "{date_short_pretty} {time_secs}"
    return f"<!date^{int(at.timestamp())}^{form}|{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC>"
