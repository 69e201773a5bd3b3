"""The fingerprints under which a scan would report a known value, wherever it finds it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

from stanch.responder.lifecycle.inventory.discovery.code import TELLING
from stanch.scanner.api import FingerprintKey, Match, Scanner
from stanch.scanner.model.secret import SecretValue

_GENERIC = ("generic", "generic")  # provider and kind of what is found by its place alone
_SHORTEST = 8  # characters: shorter ones are found by chance, and everywhere
_DEEPEST = 8
_MOST = 64  # fields of a value that is JSON


class Recognition:
    """Scans each value as if it had leaked into a settings file."""

    def __init__(self, key: FingerprintKey) -> None:
        self._key = key
        self._scanner = Scanner(key=key, processes=1)

    def fingerprints(self, variable: str, value: SecretValue) -> frozenset[str]:
        """Those of the value, and of the fields of one that is JSON."""
        text = f"{variable}=".encode() + value.reveal() + b"\n"
        found = {
            each.finding.fingerprint
            for each in self._scanner.scan_stream(io.BytesIO(text), name=".env", parts=False)
            if isinstance(each, Match)
        }
        for part in _parts(value):
            found.add(self._key.fingerprint(*_GENERIC, part))
        return frozenset(found)


def _parts(value: SecretValue) -> Iterator[SecretValue]:
    whole = value.reveal().strip()
    if len(whole) >= _SHORTEST:
        yield SecretValue(whole)
    try:
        fields = json.loads(whole)
    except (ValueError, RecursionError):
        return
    if isinstance(fields, dict | list):
        texts = list(_texts("", fields, _DEEPEST))[:_MOST]
        yield from (SecretValue(each.encode()) for each in texts if len(each) >= _SHORTEST)


def _texts(name: str, value: object, deeper: int) -> Iterator[str]:
    """The fields whose names tell of a secret: others, like a host, are in many."""
    if isinstance(value, str) and TELLING.search(name):
        yield value
    elif isinstance(value, dict) and deeper:
        for key, each in value.items():
            yield from _texts(key, each, deeper - 1)
    elif isinstance(value, list) and deeper:
        for each in value:
            yield from _texts(name, each, deeper - 1)
