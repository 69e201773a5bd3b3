"""The only thing a message may carry: one id.

Celery writes arguments into headers, bodies, logs and results; so nothing but an opaque id may get
that far. This serializer is the border: it refuses to write or to read anything else.
"""

from __future__ import annotations

import json
import re

from kombu import compression
from kombu.serialization import register

NAME = "stanch-id"
CONTENT_TYPE = "application/x-stanch-id"
_ID = re.compile(r"[0-9A-Za-z-]{1,40}\Z")


class NotAnId(ValueError):  # noqa: N818  # says what is wrong with the message
    """A message with anything but one id. Its content is not repeated here."""


def encode(body: object) -> str:
    """Celery's ``(args, kwargs, embed)`` as JSON, if it carries at most one id."""
    match body:
        case [[*args], dict() as kwargs, dict() as embed] if not kwargs:
            one_id = len(args) <= 1 and all(isinstance(a, str) and _ID.match(a) for a in args)
            if one_id and all(value is None for value in embed.values()):
                return json.dumps([args, {}, embed])
    raise NotAnId("a message carries one id and nothing else")


def decode(data: str | bytes) -> object:
    """The reverse, with the same check: a broker is not trusted."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise NotAnId("a message is not what this installation writes") from None
    encode(body)
    return body


def install() -> None:
    """Make the serializer known to kombu; safe to repeat."""
    register(NAME, encode, decode, content_type=CONTENT_TYPE, content_encoding="utf-8")
    for kind in compression.encoders():
        # We compress nothing; a few bytes that become gigabytes are not unpacked to see why.
        compression.register(_never, _never, kind)


def _never(body: object) -> bytes:
    """What stands in a message as compressed."""
    del body
    raise NotAnId("a message of ours is not compressed")
