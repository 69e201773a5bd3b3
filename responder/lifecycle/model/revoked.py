"""A secret that nobody is given any more says so in its own tags."""

from __future__ import annotations

from collections.abc import Mapping

from stanch.responder.lifecycle.model.metadata import PREFIX

REVOKED = f"{PREFIX}revoked"
"""Since when, and why; empty or missing: it is not revoked."""

_LONGEST = 200


def revoked(tags: Mapping[str, str]) -> str:
    """Since when and why it is revoked; empty when it is not."""
    return tags.get(REVOKED, "").strip()


def mark(at: str, why: str) -> Mapping[str, str]:
    """The tag, in signs that every store takes."""
    said = "".join(sign if sign.isalnum() or sign in " _.:/=+-@" else " " for sign in why)
    return {REVOKED: f"{at} {' '.join(said.split())}"[:_LONGEST]}
