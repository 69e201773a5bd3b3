"""What earlier scans have found in a layer, so that none is read twice.

One file for each layer in the user's data directory, without any secret. It counts for exactly one
set of rules, one version of the checks and one fingerprint key, as that of histories does. A layer
is its digest: whatever image it is in, whatever registry it comes from.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stanch.scanner.local import cache
from stanch.scanner.model.finding import Confidence, Finding, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.model.rule import Rule
from stanch.scanner.model.waiver import Waiver
from stanch.scanner.scan.history_cache import followed_from
from stanch.scanner.sources.image.layer import Contents

_LAYOUT = "layer 3"  # raise it when the fields of Finding or Contents change their meaning


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A finding as it is kept: all of :class:`Finding`, and of its place only the path."""

    path: str
    rule: str
    provider: str
    kind: str
    span: Span
    fingerprint: str
    preview: str
    severity: Severity
    confidence: Confidence
    reason: str
    also: tuple[Span, ...]
    until: float | None
    waiver: Waiver | None
    title: str
    excerpt: str
    within: str

    def finding(self, layer: InImage) -> Finding:
        """The finding, in a layer of the image that is scanned."""
        fields = msgspec.structs.asdict(self)
        place = InImage(
            **{name: getattr(layer, name) for name in InImage.__fields__}
            | {"path": fields.pop("path")}
        )
        return Finding(**fields, provenance=place)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A layer that was read to its end."""

    basis: str
    contents: Contents
    places: tuple[Place, ...]
    gaps: tuple[Gap, ...]


#: Made when this is loaded: msgspec crashes where two threads are the first to read a type.
_READ = msgspec.json.Decoder(Read)


class LayerCache:
    """Where layers are kept. ``basis``: what else findings follow from (a baseline's text, say)."""

    def __init__(
        self, folder: Path, *, rules: Sequence[Rule], key: FingerprintKey, basis: bytes
    ) -> None:
        self._folder = folder
        self._basis = followed_from(_LAYOUT, rules=rules, key=key, basis=basis)

    def load(self, layer: str) -> Read | None:
        """What is known of a layer; None when it has to be read."""
        stored = cache.read(self._folder, _name(layer))
        if stored is None:
            return None
        try:
            read = _READ.decode(stored)
        except msgspec.MsgspecError:
            return None
        now = time.time()
        if read.basis != self._basis or read.contents.layer != layer:
            return None
        return None if any(each.until and each.until < now for each in read.places) else read

    def save(self, contents: Contents, findings: Sequence[Finding], gaps: Sequence[Gap]) -> None:
        """Keep a layer; without a writable directory it is read again next time."""
        places = msgspec.convert(findings, type=tuple[Place, ...], from_attributes=True)
        read = Read(basis=self._basis, contents=contents, places=places, gaps=tuple(gaps))
        cache.write(self._folder, _name(contents.layer), msgspec.json.encode(read))


def _name(layer: str) -> str:
    return f"layer-{layer.replace(':', '-')}.json"
