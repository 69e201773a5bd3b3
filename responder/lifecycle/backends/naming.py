"""What a reference is called in a store, and back."""

from __future__ import annotations

import re

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.reference import SCHEME, Reference, parse

_SIGN = re.compile(r"[^A-Z0-9]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def reference_at(path: str) -> Reference | None:
    """The reference of a store's ``service/environment/tool/name``; None for names of others."""
    try:
        found = parse(SCHEME + path.strip("/"))
    except UsageError:
        return None
    return None if found.version else found


def variable(reference: Reference) -> str:
    """``STRIPE_API_KEY`` for ``…/stripe/api-key``: an environment belongs to one service."""
    return _SIGN.sub("_", f"{reference.tool}_{reference.name}".upper())


def reference_of(name: str, *, service: str, environment: Environment) -> Reference | None:
    """The reference that a variable probably has: its first word is taken for the tool.

    Where a tool has several words, the same variable is also found by its true reference.
    """
    tool, _, rest = name.lower().partition("_")
    if not service or not rest or not _VARIABLE.match(name):
        return None
    words = rest.strip("_").replace("_", "-")
    return reference_at(f"{service}/{environment}/{tool}/{words}")
