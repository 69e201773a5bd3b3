"""Seals what is kept in Redis with a data key, which a master key wraps."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stanch.responder.domain.error import VaultError
from stanch.responder.domain.json import canonical
from stanch.responder.lifecycle.cache.shared import SharedAway
from stanch.responder.vault.master import NONCE_SIZE, MasterKey
from stanch.scanner.model.secret import SecretValue

log = logging.getLogger("stanch.secrets")

_ID = 8  # bytes of a key's name before each sealed value
_RENEWED = 3600.0  # seconds after which a process looks whether there is another data key
_PATIENCE = 30.0  # seconds until a master key that did not answer is asked again

Agree = Callable[[bytes], bytes]
"""Offers a wrapped key; gives the one that all use: this, or what another process offered first."""


@dataclass(frozen=True, slots=True)
class _DataKey:
    name: bytes
    cipher: AESGCM
    until: float


class Sealer:
    """AES-256-GCM. What a value was sealed for (secret, version, generation) is bound to it."""

    def __init__(
        self,
        master: MasterKey,
        namespace: str,
        *,
        agree: Agree,
        monotonic: Callable[[], float],
    ) -> None:
        self._master = master
        self._namespace = namespace
        self._agree = agree
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._key: _DataKey | None = None
        self._away_until = 0.0

    def seal(self, value: SecretValue, bound: tuple[str, ...]) -> bytes | None:
        """The sealed bytes; None while there is no key to be had."""
        key = self._current()
        if key is None:
            return None
        nonce = os.urandom(NONCE_SIZE)
        return key.name + nonce + key.cipher.encrypt(nonce, value.reveal(), self._bound(bound, key))

    def open(self, sealed: bytes, bound: tuple[str, ...]) -> SecretValue | None:
        """The value; None when it was altered, moved, or sealed under a key that is gone."""
        name, nonce, rest = sealed[:_ID], sealed[_ID : _ID + NONCE_SIZE], sealed[_ID + NONCE_SIZE :]
        key = self._current()
        if key is not None and key.name != name:
            key = self._current(renew=True)
        if key is None or key.name != name:
            return None
        try:
            return SecretValue(key.cipher.decrypt(nonce, rest, self._bound(bound, key)))
        except (InvalidTag, ValueError):
            log.info("what is kept of %s is not used: altered, or of another generation", bound[0])
            return None

    def _current(self, *, renew: bool = False) -> _DataKey | None:
        now = self._monotonic()
        with self._lock:
            if self._key is not None and now < self._key.until and not renew:
                return self._key
            if now < self._away_until:
                return None
            try:
                self._key = self._agreed(now)
            except (VaultError, SharedAway) as error:
                self._away_until = now + _PATIENCE
                log.warning("values are not kept in Redis: %s", error)
                return None
            return self._key

    def _agreed(self, now: float) -> _DataKey:
        context = {"purpose": "secrets-cache", "namespace": self._namespace}
        fresh, mine = self._master.make(context)
        theirs = self._agree(mine)
        key = fresh if theirs == mine else self._master.unwrap(theirs, context)
        name = hashlib.sha256(theirs).digest()[:_ID]
        return _DataKey(name, AESGCM(key.reveal()), now + _RENEWED)

    def _bound(self, bound: tuple[str, ...], key: _DataKey) -> bytes:
        return canonical({"for": [self._namespace, key.name.hex(), *bound]})
