"""What earlier scans of a history have seen, so that the next one reads only what is new.

One file for each repository and folder in the user's data directory: the commits behind which
everything was scanned, and what was found there, without any secret. It counts for exactly one set
of rules, one version of the checks and one fingerprint key. Like any cache it may vanish, be broken
or belong to somebody else: then the history is read again.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stanch.scanner.local import cache
from stanch.scanner.model.finding import Confidence, Finding, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.waiver import Waiver
from stanch.scanner.sources.git.discovery import Layout

_LAYOUT = "5"  # raise it when the fields of Finding or Seen change their meaning


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A finding of the history as it is kept: all of :class:`Finding`, flat."""

    rule: str
    provider: str
    kind: str
    provenance: InCommit
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


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Commits whose whole past is scanned (hexadecimal ids), the findings and the gaps in it."""

    basis: str
    commits: tuple[str, ...]
    places: tuple[Place, ...]
    gaps: tuple[Gap, ...]


#: Made when this is loaded: msgspec crashes where two threads are the first to read a type.
_SEEN = msgspec.json.Decoder(Seen)


class HistoryCache(Record):
    """Where one history's state is kept. ``basis`` says for which rules, checks and key."""

    folder: Path
    name: str
    basis: str

    def load(self) -> tuple[tuple[str, ...], list[Finding], tuple[Gap, ...]]:
        """The known commits, their findings and gaps; nothing when there is no state that counts.

        Only gaps that would be there again are kept: with others nothing is kept at all.
        """
        stored = cache.read(self.folder, self.name)
        if stored is None:
            return (), [], ()
        try:
            seen = _SEEN.decode(stored)
        except msgspec.MsgspecError:
            return (), [], ()
        now = time.time()
        if seen.basis != self.basis or any(each.until and each.until < now for each in seen.places):
            return (), [], ()
        findings = [Finding(**msgspec.structs.asdict(each)) for each in seen.places]
        return seen.commits, findings, seen.gaps

    def save(
        self, commits: Sequence[str], findings: Sequence[Finding], gaps: Sequence[Gap]
    ) -> None:
        """Replace the state; without a writable directory the next scan is a full one."""
        places = msgspec.convert(findings, type=tuple[Place, ...], from_attributes=True)
        seen = Seen(basis=self.basis, commits=tuple(commits), places=places, gaps=tuple(gaps))
        cache.write(self.folder, self.name, msgspec.json.encode(seen))


def history_cache(  # what kept findings follow from
    folder: Path,
    layout: Layout,
    below: str,
    *,
    rules: Sequence[Rule],
    key: FingerprintKey,
    basis: bytes,
) -> HistoryCache:
    """The cache of the history of ``below`` in that repository.

    ``basis``: what else the findings follow from (a baseline's text, say).
    """
    place = f"{layout.common_dir.resolve()}\0{layout.git_dir.resolve()}\0{below}"
    return HistoryCache(
        folder=folder,
        name=f"history-{hashlib.sha256(os.fsencode(place)).hexdigest()[:32]}.json",
        basis=followed_from(_LAYOUT, rules=rules, key=key, basis=basis),
    )


def followed_from(layout: str, *, rules: Sequence[Rule], key: FingerprintKey, basis: bytes) -> str:
    """Differs when anything does that kept findings follow from."""
    digest = hashlib.sha256(layout.encode())
    digest.update(hashlib.sha256(basis).digest())
    digest.update(msgspec.msgpack.encode(tuple(rules)))
    # A constant's fingerprint names the key without revealing it.
    digest.update(key.fingerprint("stanch", "key-id", SecretValue(b"frontier")).encode())
    digest.update(repr(cache.code_stamps()).encode())
    return digest.hexdigest()
