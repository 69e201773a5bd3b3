"""Secrets by reference: ``env:NAME`` or ``file:/path``, read when they are used."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from stanch.responder.domain.error import ConfigError
from stanch.responder.keys.file import foreign
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


def with_password(url: str, reference: str, section: str) -> str:
    """The URL with the secret behind a reference in it: for connecting, never for showing."""
    if not reference:
        return url
    parts = urlsplit(url)
    if parts.password or not parts.scheme or not url.startswith(f"{parts.scheme}://"):
        raise ConfigError(
            f"[{section}] password cannot be put into [{section}] url",
            remedy="write the url as scheme://user@host/name, without a password",
        )
    value = secret(reference, what=f"{section}.password").reveal().decode("utf-8")
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(value, safe='')}@{host}"))


def _secret_file(path: Path, what: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and (foreign(status) or status.st_mode & 0o022):
                raise ConfigError(
                    f"{what} is in {path}, which others may write "
                    f"(uid {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o})",
                    remedy=f"run `chmod 600 {path}` as its owner, and replace what is in it",
                )
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{what} cannot be read from {path}: {type(error).__name__}",
            remedy="create the file with mode 0600, or name another",
        ) from None
