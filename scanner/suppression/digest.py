"""Memory-hard digests, by which a baseline recognises a credential without holding it.

A baseline is committed, so nothing in it is secret from whoever reads the repository: a fast hash
would let them try a dictionary of passwords in no time. Argon2id (RFC 9106) makes each guess cost
tens of milliseconds and tens of megabytes; the salt, of one repository alone, keeps tables useless.
docs/suppression.md has the figures and what remains.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Container, Mapping
from typing import Protocol

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue

KDF = "argon2id"
_DOMAIN = b"stanch/baseline/v1"
_SIZE = 16  # bytes of a digest: collisions by chance do not happen
_SALT = re.compile(r"[0-9a-f]{32,128}")
# A hostile baseline must neither stall a scan nor make guessing cheap.
_LEAST_MEMORY, _MOST_MEMORY = 8_192, 262_144  # KiB
_MOST_PASSES = 10
_USUAL_MEMORY, _USUAL_PASSES = 19_456, 2


class Recipe(Record):
    """How a repository's digests are computed: the baseline's first line.

    ``memory`` is in KiB. The defaults are the least that OWASP's password cheat sheet allows, and
    cost about 25 ms on one core, so that a hook with a few findings stays quick.
    """

    salt: str
    memory: int = _USUAL_MEMORY
    passes: int = _USUAL_PASSES

    def __post_init__(self) -> None:
        if (
            not _SALT.fullmatch(self.salt)
            or not _LEAST_MEMORY <= self.memory <= _MOST_MEMORY
            or not 1 <= self.passes <= _MOST_PASSES
            or self.memory * self.passes < 2 * _LEAST_MEMORY
        ):
            raise UsageError(
                "the baseline's salt or its hash parameters are out of bounds",
                remedy=f"use a salt of 32 hex digits or more, {_LEAST_MEMORY} to {_MOST_MEMORY} "
                f"KiB and up to {_MOST_PASSES} passes, or make a new baseline",
            )

    @property
    def is_modest(self) -> bool:
        """Whether it costs no more than the default."""
        return self.memory * self.passes <= _USUAL_MEMORY * _USUAL_PASSES

    @classmethod
    def fresh(cls) -> Recipe:
        """A recipe with a new random salt."""
        return cls(salt=secrets.token_hex(16))

    def digest(self, provider: str, kind: str, parts: Mapping[str, SecretValue]) -> str:
        """32 hex digits over the provider, the kind and every part of the credential.

        All parts enter, so an entry for one pair of id and secret never covers another secret of
        the same id. Path, line, commit and rule do not enter.
        """
        # Loaded late: most scans find nothing that a baseline could know.
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

        try:
            kdf = Argon2id(
                salt=bytes.fromhex(self.salt),
                length=_SIZE,
                iterations=self.passes,
                lanes=1,
                memory_cost=self.memory,
            )
        except UnsupportedAlgorithm as error:
            raise UsageError(
                "this build of the package cryptography has no Argon2id",
                remedy="install its wheel from the package index, or OpenSSL 3.2 and newer",
            ) from error
        return kdf.derive(_message(provider, kind, parts)).hex()


def _message(provider: str, kind: str, parts: Mapping[str, SecretValue]) -> bytes:
    fields = [_DOMAIN, provider.encode(), kind.encode()]
    for name in sorted(parts):
        fields += [name.encode(), parts[name].reveal()]
    return b"".join(len(field).to_bytes(8, "big") + field for field in fields)


class Memory(Protocol):
    """Which digest a message has, from earlier runs."""

    def recall(self, recipe: Recipe, message: bytes) -> str | None:
        """The digest, when it was kept."""

    def keep(self, recipe: Recipe, message: bytes, digest: str) -> None:
        """Remember it."""


class Digester:
    """Digests under one recipe, each distinct credential computed once.

    With a ``memory`` those of earlier runs are not computed again; ``worth`` are the digests that
    are kept in it.
    """

    def __init__(
        self, recipe: Recipe, *, memory: Memory | None = None, worth: Container[str] = ()
    ) -> None:
        self.recipe = recipe
        self._memory = memory
        self._worth = worth
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, str] = {}

    def digest(self, provider: str, kind: str, parts: Mapping[str, SecretValue]) -> str:
        """As :meth:`Recipe.digest`. What is remembered is keyed by a hash of the values."""
        message = _message(provider, kind, parts)
        short = hashlib.blake2b(message, key=self._key, digest_size=32).digest()
        found = self._known.get(short)
        if found is None:
            found = self._known[short] = self._remembered(message, provider, kind, parts)
        return found

    def _remembered(
        self, message: bytes, provider: str, kind: str, parts: Mapping[str, SecretValue]
    ) -> str:
        if self._memory is None:
            return self.recipe.digest(provider, kind, parts)
        found = self._memory.recall(self.recipe, message)
        if found is None:
            found = self.recipe.digest(provider, kind, parts)
            if found in self._worth:
                self._memory.keep(self.recipe, message, found)
        return found
