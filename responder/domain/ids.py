"""Identifiers. Only these travel through the broker."""

from __future__ import annotations

import re
from typing import NewType

from stanch.responder.domain.error import UsageError

IncidentId = NewType("IncidentId", int)  # shown as LK-<n>
RunId = NewType("RunId", str)  # 26 characters, sortable by time
ApprovalId = NewType("ApprovalId", str)
SealedRef = NewType("SealedRef", str)  # "sealed:<hex>"

_LABEL = re.compile(r"(?:LK-)?([1-9][0-9]{0,9})\Z", re.IGNORECASE)


def label(incident: IncidentId) -> str:
    """``LK-7``, as people say and type it."""
    return f"LK-{incident}"


def parse_label(text: str) -> IncidentId:
    """``LK-7`` or ``7`` to an id; anything else is a usage error that shows the form."""
    found = _LABEL.match(text.strip())
    if not found:
        raise UsageError(
            f"{text!r} is not an incident", remedy="write it as LK-7; `stanch incidents` lists them"
        )
    return IncidentId(int(found[1]))
