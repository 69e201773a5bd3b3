"""Secrets by reference: ``env:NAME`` or ``file:/path``, read when they are used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stanch.responder.domain.error import ConfigError
from stanch.scanner.model.secret import SecretValue


def secret(
    reference: str, *, what: str, environment: Mapping[str, str] | None = None
) -> SecretValue:
    """The secret behind ``env:NAME`` or ``file:/path``. Errors never repeat a value."""
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest:
        value = (os.environ if environment is None else environment).get(rest, "")
    elif scheme == "file" and rest:
        value = _secret_file(Path(rest).expanduser(), what)
    else:
        raise ConfigError(
            f"{what} is not a reference", remedy="write env:NAME or file:/path, never the value"
        )
    if not value.strip():
        raise ConfigError(f"{what} is empty ({scheme}:{rest})", remedy="set it, or leave it out")
    return SecretValue(value.strip().encode())


def _secret_file(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{what} cannot be read from {path}: {type(error).__name__}",
            remedy="create the file with mode 0600, or name another",
        ) from None
