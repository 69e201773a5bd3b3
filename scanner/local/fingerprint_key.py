"""Where the fingerprint key lives: made on first use, or given by reference."""

from __future__ import annotations

import base64
import binascii
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.secret import SecretValue

_SIZE = 32
_NAME = "fingerprint.key"


def data_directory(environ: Mapping[str, str]) -> Path:
    """The user's data directory: ``$STANCH_HOME``, or ``stanch`` in ``$XDG_DATA_HOME``."""
    if own := environ.get("STANCH_HOME"):
        return Path(own)
    shared = Path(environ.get("XDG_DATA_HOME") or "~/.local/share")
    try:
        return shared.expanduser() / "stanch"
    except RuntimeError as error:
        raise NoHomeError(
            "there is no home directory to keep things in",
            remedy="set STANCH_HOME to a directory of your own",
        ) from error


class NoHomeError(UsageError):
    """There is no place that would keep a key."""


def run_key(reference: str | None, environ: Mapping[str, str] = os.environ) -> FingerprintKey:
    """The key for one run: where none can be kept (rootless pipelines), one that ends with it."""
    try:
        return load_fingerprint_key(reference, data_directory(environ), environ=environ)
    except NoHomeError as error:
        sys.stderr.write(
            f"note: {error}; this run's fingerprints are its own and compare with no other's\n"
            f"  help: {error.remedy}\n"
        )
        return FingerprintKey(SecretValue(os.urandom(_SIZE)))


def load_fingerprint_key(
    reference: str | None, data_dir: Path, *, environ: Mapping[str, str] = os.environ
) -> FingerprintKey:
    """The key behind ``env:NAME`` (base64) or ``file:/path`` (32 raw bytes, mode 0600).

    Without a reference it is ``fingerprint.key`` in ``data_dir``, made when it is not there yet.
    """
    if reference is None:
        return _own(data_dir)
    kind, _, where = reference.partition(":")
    if kind == "env" and where:
        return _from_environment(where, environ)
    if kind == "file" and where:
        return _from_file(Path(where))
    raise UsageError(
        "the fingerprint key's reference is neither env:NAME nor file:/path",
        remedy="name a variable that holds the key in base64, or a file; never the key itself",
    )


def _own(data_dir: Path) -> FingerprintKey:
    path = data_dir / _NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
    except OSError as error:
        raise NoHomeError(
            f"the fingerprint key {path} cannot be made: {error.strerror}",
            remedy="set STANCH_HOME to a directory you may write, or give --fingerprint-key",
        ) from error
    return _from_file(path)


def _create(path: Path) -> None:
    """Write a new key so that it appears complete or not at all, and never twice."""
    draft = path.with_name(f"{_NAME}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_SIZE))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename it never replaces the key of a rival
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _from_file(path: Path) -> FingerprintKey:
    return FingerprintKey(
        read_key(
            path,
            what="fingerprint key",
            lost="delete it: a new key is made, and fingerprints change",
        )
    )


def read_key(path: Path, *, what: str, lost: str) -> SecretValue:
    """The 32 bytes of a key file that its owner alone can read.

    ``what`` names the key in messages, ``lost`` says what helps when it can be trusted no more.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            value = file.read(_SIZE + 1)
    except OSError as error:
        raise UsageError(
            f"the {what} {path} cannot be read: {error.strerror}",
            remedy=f"name a readable file of {_SIZE} bytes",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"the {what} {path} can be read by others",
            remedy=f"run `chmod 600 {path}`; if others may have read it, {lost}",
        )
    if len(value) != _SIZE:
        raise UsageError(
            f"the {what} {path} does not have {_SIZE} bytes",
            remedy=f"restore it from a backup, or {lost}",
        )
    return SecretValue(value)


def _from_environment(name: str, environ: Mapping[str, str]) -> FingerprintKey:
    remedy = f"set {name} to 32 random bytes in base64, e.g. from `openssl rand -base64 32`"
    if name not in environ:
        raise UsageError(f"the variable {name} is not set", remedy=remedy)
    try:
        value = base64.b64decode(environ[name].strip(), validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != _SIZE:
        # No cause is attached: its text would quote the value.
        raise UsageError(f"the variable {name} does not hold 32 bytes in base64", remedy=remedy)
    return FingerprintKey(SecretValue(value))
