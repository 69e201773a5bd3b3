"""The ledger's key: who does not hold it cannot write an entry that passes for ours."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

from stanch.responder.domain.error import ConfigError, LedgerError
from stanch.responder.keys.file import load_or_create
from stanch.scanner.model.secret import SecretValue

_SIZE = 32
_DOMAIN = b"stanch/ledger/v1"


class LedgerSeal:
    """HMAC-SHA256 under the installation's ledger key (32 bytes), kept outside the database."""

    __slots__ = ("_key",)

    def __init__(self, key: SecretValue) -> None:
        if len(key) != _SIZE:
            raise ConfigError(
                f"a ledger key has {_SIZE} bytes, not {len(key)}",
                remedy="make one with `openssl rand -hex 32`",
            )
        self._key = key

    @property
    def origin(self) -> str:
        """The public name of this installation's ledger; says nothing about the key."""
        return "stanch-" + self._mac(b"origin", b"")[:32]

    def mac(self, digest: str) -> str:
        """The MAC (hex) over an entry's digest."""
        return self._mac(b"entry", digest.encode("ascii", "backslashreplace"))

    def accepts(self, digest: str, mac: str) -> bool:
        """True when ``mac`` was made for ``digest`` with this key."""
        return hmac.compare_digest(self.mac(digest).encode(), mac.encode("utf-8", "replace"))

    def row(self, table: str, said: bytes) -> str:
        """The MAC (hex) over what a row of ``table`` says."""
        return self._mac(b"row", table.encode() + b"\0" + said)

    def vouches(self, table: str, said: bytes, mac: str) -> bool:
        """True when ``mac`` was made for what a row of ``table`` says with this key."""
        return hmac.compare_digest(self.row(table, said).encode(), mac.encode("utf-8", "replace"))

    def _mac(self, purpose: bytes, value: bytes) -> str:
        message = b"\0".join((_DOMAIN, purpose, value))
        return hmac.digest(self._key.reveal(), message, "sha256").hex()


class KeylessSeal(LedgerSeal):
    """For a process that only shows: it judges by the chain and the signed anchors, not by MACs.

    It makes no MAC, so it can write nothing that passes for ours, and neither can whoever takes it
    over. Rows it compares with the record; that their marks are right, others say who hold the key.
    """

    __slots__ = ("_origin",)

    def __init__(self, origin: str) -> None:
        self._origin = origin

    @property
    def origin(self) -> str:
        """As the anchors call it."""
        return self._origin

    def accepts(self, digest: str, mac: str) -> bool:
        """Not judged here."""
        del digest, mac
        return True

    def vouches(self, table: str, said: bytes, mac: str) -> bool:
        """Not judged here."""
        del table, said, mac
        return True

    def _mac(self, purpose: bytes, value: bytes) -> str:
        del purpose, value
        raise LedgerError(
            "this process holds no ledger key: it shows, and records nothing",
            remedy="do it with a command or a worker; docs/operations.md says who holds what",
        )


def parse_ledger_seal(reference: str, *, environment: Mapping[str, str]) -> LedgerSeal:
    """The seal behind ``file:/path`` (created on first use) or ``env:NAME`` (64 hex digits).

    ``environment`` is the process's environment, handed in by the configuration.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "file" and rest:
        path = Path(rest).expanduser()
        return LedgerSeal(load_or_create(path, size=_SIZE, what="ledger key"))
    if scheme == "env" and rest:
        try:
            return LedgerSeal(SecretValue(bytes.fromhex(environment[rest])))
        except (KeyError, ValueError):
            raise ConfigError(
                f"the environment variable {rest} does not hold a ledger key",
                remedy=f"set {rest} to 64 hex digits, or use a `file:` reference",
            ) from None
    raise ConfigError(
        "the ledger key reference is of no known kind",  # not repeated: it may be the key itself
        remedy="write file:/path/to/ledger.key or env:NAME",
    )
