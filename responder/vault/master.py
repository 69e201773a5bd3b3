"""Master keys: what wraps the key of each sealed part."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stanch.responder.domain.error import ConfigError, VaultError
from stanch.responder.domain.json import canonical
from stanch.responder.keys.file import load_or_create
from stanch.scanner.model.secret import SecretValue

KEY_SIZE = 32
NONCE_SIZE = 12


class MasterKey(Protocol):
    """Makes and unwraps data keys. ``context`` is bound to the wrapped key and is not secret."""

    @property
    def name(self) -> str:
        """Which key this is, as envelopes record it."""

    def make(self, context: Mapping[str, str]) -> tuple[SecretValue, bytes]:
        """A fresh data key (32 bytes), and the same key wrapped."""

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> SecretValue:
        """The data key; VaultError when it was altered or wrapped for something else."""


class LocalMasterKey:
    """A master key in a file that only its owner can read, created on first use."""

    def __init__(self, path: Path, *, fresh: Callable[[int], bytes] = os.urandom) -> None:
        self._key = load_or_create(path, size=KEY_SIZE, what="master key", fresh=fresh)
        self._fresh = fresh
        # A name made from the key, not the path: the file may move, another key may take its place.
        tag = hmac.new(self._key.reveal(), b"stanch/vault/v1/name", hashlib.sha256).hexdigest()
        self.name = f"local:{tag[:16]}"

    def make(self, context: Mapping[str, str]) -> tuple[SecretValue, bytes]:
        """A fresh data key, wrapped with AES-256-GCM: nonce, then ciphertext."""
        data_key = self._fresh(KEY_SIZE)
        nonce = self._fresh(NONCE_SIZE)
        wrapped = AESGCM(self._key.reveal()).encrypt(nonce, data_key, canonical(dict(context)))
        return SecretValue(data_key), nonce + wrapped

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> SecretValue:
        """The data key, or VaultError."""
        nonce, sealed = wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:]
        try:
            key = AESGCM(self._key.reveal()).decrypt(nonce, sealed, canonical(dict(context)))
        except (InvalidTag, ValueError):
            raise VaultError(
                "a sealed value's key cannot be unwrapped: it was altered",
                remedy="restore the database from a backup, and run `stanch audit verify`",
            ) from None
        return SecretValue(key)


class NoMasterKey:
    """For a process that opens nothing and seals nothing."""

    name = "none"

    def make(self, context: Mapping[str, str]) -> tuple[SecretValue, bytes]:
        """Never."""
        del context
        raise _withheld()

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> SecretValue:
        """Never."""
        del wrapped, context
        raise _withheld()


def _withheld() -> VaultError:
    return VaultError(
        "this process holds no master key",
        remedy="a worker or a command opens what is sealed; docs/operations.md says who holds what",
    )


def require_same(name: str | None, sealed_under: Collection[str]) -> None:
    """The key opens what is sealed. ``name`` None: there is no key yet, and one would be made.

    Raises VaultError: a lost key must not be replaced in silence, nor another one take its place.
    """
    if not sealed_under or name in sealed_under:
        return
    found = "is gone" if name is None else f"is {name}"
    raise VaultError(
        f"the master key {found}, but sealed values need {', '.join(sorted(sealed_under))}",
        remedy="restore the key from its backup ([vault] master_key); nothing opens with another",
    )


def missing(reference: str) -> bool:
    """Whether the key is a file that would be made on first use."""
    scheme, _, rest = reference.partition(":")
    return scheme == "file" and bool(rest) and not Path(rest).expanduser().exists()


def parse_master_key(reference: str, *, kms: Callable[[str], MasterKey] | None = None) -> MasterKey:
    """The master key behind ``file:/path`` (created on first use) or ``aws-kms:ARN``.

    ``kms`` makes the key for an ARN; by default with the process's AWS identity.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "file" and rest:
        return LocalMasterKey(Path(rest).expanduser())
    if scheme == "aws-kms" and rest.startswith("arn:"):
        if kms is None:
            # Imported late: boto3 costs more than the whole command for who keeps a local key.
            from stanch.responder.vault.kms import connect  # noqa: PLC0415

            kms = connect
        return kms(rest)
    raise ConfigError(
        "the master key reference is of no known kind",  # not repeated: it may be a key itself
        remedy="write file:/path/to/master.key or aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID",
    )
