"""Digests of accepted credentials that this installation has computed before.

A digest is made slow on purpose, and a hook meets the same accepted findings again and again. What
is kept is which digest a credential has, under a hash of it that is keyed with the installation's
fingerprint key: without the key the file answers no guess, and with it a fingerprint would, too.
Only digests are kept that a baseline holds already.
"""

from __future__ import annotations

import hashlib

import msgspec

from stanch.scanner.local import cache
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.suppression.digest import Recipe

_MOST = 10_000  # digests of one recipe


class Remembered:
    """One file for each recipe, in the user's cache; without a cache nothing is remembered."""

    def __init__(self, key: FingerprintKey, folder: cache.Folder) -> None:
        self._key = key
        self._folder = folder
        self._known: dict[str, dict[str, str]] = {}

    def recall(self, recipe: Recipe, message: bytes) -> str | None:
        """The digest of a message, when it was kept."""
        name = _name(recipe)
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name].get(self._label(recipe, message))

    def keep(self, recipe: Recipe, message: bytes, digest: str) -> None:
        """Remember the digest of a message."""
        name = _name(recipe)
        # Another process may have learned some meanwhile.
        known = self._read(name) | {self._label(recipe, message): digest}
        if len(known) <= _MOST:
            self._known[name] = known
            cache.write(self._folder, name, msgspec.json.encode(known))

    def _read(self, name: str) -> dict[str, str]:
        stored = cache.read(self._folder, name)
        try:
            return msgspec.json.decode(stored or b"{}", type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def _label(self, recipe: Recipe, message: bytes) -> str:
        identity = SecretValue(_said(recipe) + message)
        return self._key.fingerprint("stanch", "baseline-digest", identity)


def _said(recipe: Recipe) -> bytes:
    return f"{recipe.salt} {recipe.memory} {recipe.passes}\n".encode()


def _name(recipe: Recipe) -> str:
    return f"digests-{hashlib.sha256(_said(recipe)).hexdigest()[:32]}.json"
