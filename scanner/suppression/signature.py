"""Waivers that count only when somebody with the right has signed them (Ed25519).

A signature covers every field of an entry and the repository's recipe, so it can neither be carried
to another repository nor keep its force when reason, scope or expiry are edited.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from stanch.scanner.local.fingerprint_key import read_key
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.suppression.digest import Recipe
from stanch.scanner.suppression.entry import Line

_DOMAIN = b"stanch/waiver/v1\n"
_SIZE = 32  # bytes of an Ed25519 seed and of a public key


def signed_bytes(recipe: Recipe, entry: Line) -> bytes:
    """What a signature is over: the recipe's salt and the entry without its signature."""
    bare = msgspec.structs.replace(entry, signature=None)
    return _DOMAIN + recipe.salt.encode() + b"\n" + msgspec.json.encode(bare, order="sorted")


class WaiverKey:
    """The public half, written as 44 characters of base64."""

    def __init__(self, text: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  # start-up

        self.text = text
        try:
            raw = base64.b64decode(text, validate=True)
            self._key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
        except (binascii.Error, ValueError) as error:
            raise UsageError(
                "the waiver key is not a public Ed25519 key in base64",
                remedy="use what `stanch baseline key` has printed",
            ) from error

    def trusts(self, recipe: Recipe, entry: Line) -> bool:
        """Whether the entry carries a signature by this key over exactly what it says."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # start-up

        if entry.signature is None:
            return False
        try:
            self._key.verify(bytes.fromhex(entry.signature), signed_bytes(recipe, entry))
        except (InvalidSignature, ValueError):
            return False
        return True


_LOST = "make another with `stanch baseline key file:/path`"


class WaiverSigner:
    """The private half: 32 raw bytes behind ``file:/path`` (mode 0600) or ``env:NAME`` (base64)."""

    def __init__(self, seed: SecretValue) -> None:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  # start-up

        if len(seed) != _SIZE:
            raise UsageError(
                "the waiver key does not have 32 bytes",
                remedy="make one with `stanch baseline key file:/path`",
            )
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(seed.reveal())

    @classmethod
    def load(cls, reference: str, *, environ: Mapping[str, str] = os.environ) -> WaiverSigner:
        """The signer behind a reference."""
        form, _, where = reference.partition(":")
        if form == "file" and where:
            return cls(read_key(Path(where), what="waiver key", lost=_LOST))
        if form == "env" and where:
            try:
                return cls(SecretValue(base64.b64decode(environ.get(where, ""), validate=True)))
            except binascii.Error:
                # No cause is attached: its text would quote the value.
                message = f"the variable {where} does not hold 32 bytes in base64"
            raise UsageError(message, remedy="set it to the waiver key, or use file:/path")
        raise UsageError(
            "the waiver key's reference is neither env:NAME nor file:/path",
            remedy="name a variable or a file that holds the key; never the key itself",
        )

    @classmethod
    def create(cls, path: Path) -> WaiverSigner:
        """A new key in a new file of mode 0600."""
        seed = os.urandom(_SIZE)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(seed)
        except OSError as error:
            raise UsageError(
                f"the waiver key {path} cannot be made: {error.strerror}",
                remedy="name a new file in a directory that you may write",
            ) from error
        return cls(SecretValue(seed))

    @property
    def public(self) -> str:
        """The public half in base64, to be put where continuous integration reads it."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def signed(self, recipe: Recipe, entry: Line) -> Line:
        """The entry with a signature."""
        mark = self._key.sign(signed_bytes(recipe, entry)).hex()
        return msgspec.structs.replace(entry, signature=mark)
