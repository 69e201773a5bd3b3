"""What the cache's keys in Redis are called. Names of secrets stand there, values never."""

from __future__ import annotations

from stanch.responder.lifecycle.model.reference import Reference

CHANNEL = "stanch:secrets:forgotten"
EPOCH = "stanch:secrets:epoch"
LASTS = 7 * 24 * 3600 * 1000
"""Milliseconds for which a generation is kept; without one, what was kept under it counts not."""


def generation(path: str) -> str:
    """The token that changes when everybody is to forget a secret."""
    return f"stanch:secret:{{{path}}}:generation"


def values(path: str) -> str:
    """The sealed answers, one for each namespace and version."""
    return f"stanch:secret:{{{path}}}:values"


def revoked(path: str) -> str:
    """Why nobody is given this secret."""
    return f"stanch:secret:{{{path}}}:revoked"


def lease(path: str, field: str) -> str:
    """Who asks the store just now, or that it does not answer."""
    return f"stanch:secret:{{{path}}}:lease:{field}"


def data_key(namespace: str) -> str:
    """The wrapped key of a namespace."""
    return f"stanch:secrets:key:{namespace}"


def tool_path(path: str) -> str:
    """Under which all secrets of a tool are kept together."""
    return f"{path.rpartition('/')[0]}/*"


def tool_of(reference: Reference) -> str:
    """As :func:`tool_path`, for a reference."""
    return tool_path(reference.path)
