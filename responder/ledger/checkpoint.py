"""Checkpoints: a signed note of how long the ledger was and how it ended."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from stanch.responder.domain.error import ConfigError, LedgerError
from stanch.responder.domain.json import JsonObject, canonical
from stanch.responder.keys.file import load_or_create

_DOMAIN = b"stanch/checkpoint/v1\n"
_SIZE = 32


class ForgedAnchorError(LedgerError):
    """A line among the anchors was not signed by this installation."""

    def __init__(self) -> None:
        super().__init__(
            "an anchor is not signed by this installation's key",
            remedy="compare with another copy of the anchors; somebody changed this one",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """At ``at``, the ledger of ``origin`` had ``size`` entries and the last had digest ``head``."""

    origin: str
    size: int
    head: str
    at: datetime

    @property
    def claim(self) -> JsonObject:
        """What is signed."""
        return {
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "head": self.head,
            "origin": self.origin,
            "size": self.size,
        }


class VerifyKey:
    """The public half: enough to verify, anywhere, and public."""

    def __init__(self, value: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(value)
        self.hex = value.hex()

    def read(self, line: str) -> Checkpoint:
        """The checkpoint in a signed line, or ForgedAnchorError."""
        try:
            raw = json.loads(line)
            signature = bytes.fromhex(raw.pop("signature"))
            checkpoint = Checkpoint(
                origin=str(raw["origin"]),
                size=int(raw["size"]),
                head=str(raw["head"]),
                at=datetime.fromisoformat(raw["at"]),
            )
            # Signed is the claim as it is understood here, so nothing in the line goes unread.
            if canonical(raw) != canonical(checkpoint.claim):
                raise ForgedAnchorError
            self._key.verify(signature, _DOMAIN + canonical(raw))
        except (
            InvalidSignature,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ):
            raise ForgedAnchorError from None
        return checkpoint


class PublicHalf:
    """For a process that reads anchors and signs none: the public key, from a file that is public.

    Whoever signs writes it beside the anchors; who only shows must not be able to change it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.public = VerifyKey(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the anchors' public key {path} cannot be read: {type(error).__name__}",
                remedy="start a worker, which writes it, or correct [ledger] public_key",
            ) from None

    def sign(self, checkpoint: Checkpoint) -> str:
        """Never."""
        del checkpoint
        raise LedgerError(
            "this process holds no key to sign anchors with",
            remedy="a worker anchors; docs/operations.md says who holds what",
        )


class SigningKey:
    """An Ed25519 key in a file of its own, created on first use. Not in the database."""

    def __init__(self, path: Path) -> None:
        seed = load_or_create(path, size=_SIZE, what="checkpoint key")
        self._key = Ed25519PrivateKey.from_private_bytes(seed.reveal())
        self.public = VerifyKey(self._key.public_key().public_bytes_raw())

    def publish(self, path: Path) -> None:
        """Leave the public half where those read it who only verify."""
        text = self.public.hex + "\n"
        with suppress(OSError, UnicodeDecodeError):
            others = stat.S_IMODE(path.stat().st_mode) & 0o022
            if path.read_text(encoding="ascii") == text and not others:
                return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.write_text(text, encoding="ascii")
            draft.chmod(0o644)  # public, and nobody else's to change
            draft.replace(path)
        except OSError as error:
            raise ConfigError(
                f"the anchors' public key {path} cannot be written: {error.strerror}",
                remedy="name a file that this user may write: [ledger] public_key",
            ) from None

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed line, without a line end."""
        signature = self._key.sign(_DOMAIN + canonical(checkpoint.claim))
        return canonical({**checkpoint.claim, "signature": signature.hex()}).decode("ascii")
