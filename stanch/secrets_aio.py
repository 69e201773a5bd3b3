"""The functions of :mod:`stanch.secrets` for asyncio: the loop goes on while a store answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stanch import secrets

if TYPE_CHECKING:
    from stanch.responder.lifecycle.sdk.client import Validation
    from stanch.responder.lifecycle.sdk.watch import Callback, Rotated
    from stanch.scanner.model.secret import SecretValue

__all__ = [
    "close",
    "get_secret",
    "get_tool_secret",
    "get_tool_secrets",
    "on_secret_rotated",
    "validate_tool_secrets",
]


async def get_secret(reference: str, *, why: str = "") -> SecretValue:
    """As :func:`stanch.secrets.get_secret`."""
    return await asyncio.to_thread(secrets.get_secret, reference, why=why)


async def get_tool_secret(tool: str, type: str, *, why: str = "") -> SecretValue:  # noqa: A002  # as it is asked for
    """As :func:`stanch.secrets.get_tool_secret`."""
    return await asyncio.to_thread(secrets.get_tool_secret, tool, type, why=why)


async def get_tool_secrets(tool: str, *, why: str = "") -> dict[str, SecretValue]:
    """As :func:`stanch.secrets.get_tool_secrets`."""
    return await asyncio.to_thread(secrets.get_tool_secrets, tool, why=why)


async def validate_tool_secrets(tool: str, required: Iterable[str] = ()) -> Validation:
    """As :func:`stanch.secrets.validate_tool_secrets`."""
    return await asyncio.to_thread(secrets.validate_tool_secrets, tool, tuple(required))


async def on_secret_rotated(callback: Callback) -> Callable[[], None]:
    """As :func:`stanch.secrets.on_secret_rotated`; the callback runs in this loop."""
    loop = asyncio.get_running_loop()

    def told(rotated: Rotated) -> None:
        loop.call_soon_threadsafe(callback, rotated)

    return await asyncio.to_thread(secrets.on_secret_rotated, told)


async def close() -> None:
    """As :func:`stanch.secrets.close`."""
    await asyncio.to_thread(secrets.close)
