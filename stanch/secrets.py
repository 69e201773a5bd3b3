"""Secrets for applications: ``from stanch.secrets import get_secret``.

What runs here is said by ``[secrets]`` of ``stanch.toml`` or ``STANCH_SECRETS_ENVIRONMENT`` and
``STANCH_SECRETS_SERVICE``; see docs/lifecycle/README.md. Values are
:class:`~stanch.scanner.model.secret.SecretValue`: bytes leave through ``reveal()`` alone, and no
log or traceback shows them. :mod:`stanch.secrets_aio` has the same for asyncio.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stanch.responder.lifecycle.sdk.client import Secrets, Validation
    from stanch.responder.lifecycle.sdk.watch import Callback
    from stanch.scanner.model.secret import SecretValue

__all__ = [
    "close",
    "get_secret",
    "get_tool_secret",
    "get_tool_secrets",
    "on_secret_rotated",
    "shared",
    "validate_tool_secrets",
]

_lock = threading.Lock()
_shared: list[Secrets] = []


def _forget() -> None:
    """A forked worker opens its own: connections and locks of its parent are not for sharing."""
    global _lock  # noqa: PLW0603  # the parent may have held it
    _lock = threading.Lock()
    _shared.clear()


os.register_at_fork(after_in_child=_forget)


def shared() -> Secrets:
    """This process's secrets, opened when they are first asked for."""
    with _lock:
        if not _shared:
            # Imported late: an application that imports us starts as fast as before.
            from stanch.responder.lifecycle.sdk.client import Secrets  # noqa: PLC0415

            _shared.append(Secrets())
        return _shared[0]


def close() -> None:
    """Close what was opened; the next call opens it anew, with the configuration of then."""
    with _lock:
        while _shared:
            _shared.pop().close()


def get_secret(reference: str, *, why: str = "") -> SecretValue:
    """The value of ``secret://service/environment/tool/name``."""
    return shared().get_secret(reference, why=why)


def get_tool_secret(tool: str, type: str, *, why: str = "") -> SecretValue:  # noqa: A002  # as it is asked for
    """This service's secret of a tool: ``get_tool_secret("stripe", "api-key")``."""
    return shared().get_tool_secret(tool, type, why=why)


def get_tool_secrets(tool: str, *, why: str = "") -> dict[str, SecretValue]:
    """All of this service's secrets of a tool by name."""
    return shared().get_tool_secrets(tool, why=why)


def validate_tool_secrets(tool: str, required: Iterable[str] = ()) -> Validation:
    """Whether the tool's secrets are there, complete, in their place and not overdue."""
    return shared().validate_tool_secrets(tool, required)


def on_secret_rotated(callback: Callback) -> Callable[[], None]:
    """Call back when a secret that was given has a new version; returns what takes it back."""
    return shared().on_secret_rotated(callback)
