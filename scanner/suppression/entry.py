"""One line of a baseline: what is accepted, why, by whom and until when."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import msgspec

_HEX = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
_SHA1 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}$")]
_TEXT = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_SPACE = re.compile(r"\s+")


class Entry(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True,
    tag_field="type", tag="entry",
):  # fmt: skip
    """Accepts one credential, wherever in the repository it is.

    ``id`` is the credential's digest. ``path`` says where it was seen when it was added and decides
    nothing; ``within`` does: a glob that a finding's path must match, None for everywhere.
    ``expires`` None (null) means never and has to be written. ``signature``: see ``signature.py``.
    """

    id: _HEX
    provider: _TEXT
    kind: _TEXT
    rule: _TEXT
    path: _TEXT
    reason: _TEXT
    author: _TEXT
    added: date
    expires: date | None
    within: _TEXT | None = None
    signature: str | None = None


class Imported(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True,
    tag_field="type", tag="detect-secrets",
):  # fmt: skip
    """Accepts a value by its unsalted SHA-1 in one file, as detect-secrets does.

    ``is_secret`` is the verdict of its audit: True for a real secret, False for a false alarm,
    None when nobody has judged. The entry counts in all three cases, as it does there.
    """

    sha1: _SHA1
    path: _TEXT
    detector: _TEXT
    reason: _TEXT
    author: _TEXT
    added: date
    expires: date | None
    line: int = 0
    is_secret: bool | None = None
    is_verified: bool = False
    signature: str | None = None

    @property
    def id(self) -> str:
        """A name for reports: the hash and the file it is about."""
        return f"{self.sha1}:{self.path}"


Line = Entry | Imported


def one_line(text: str) -> str:
    """A reason as it is kept: no line breaks, no runs of white space."""
    return _SPACE.sub(" ", text).strip()
