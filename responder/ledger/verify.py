"""Verify the record offline: is it whole, and if not, what was done to it and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from stanch.responder.domain.timeline import Entry
from stanch.responder.ledger.chain import GENESIS, UnreadableEntryError, digest
from stanch.responder.ledger.checkpoint import ForgedAnchorError, VerifyKey
from stanch.responder.ledger.seal import LedgerSeal

_LATE = timedelta(hours=1)  # by which what is reported may be older than what is written
_BEYOND = 1000  # how far past the end a renumbered entry's old number is looked for


class Attack(StrEnum):
    """What was done. Several may fit; the first place where the record breaks decides."""

    EDIT = "edit"  # an entry says something else than it did
    DELETION = "deletion"  # entries are missing in the middle
    REORDER = "reorder"  # an entry stands in another's place
    TRUNCATION = "truncation"  # the newest entries are missing
    ROLLBACK = "rollback"  # the record ends exactly where an older anchor saw it end
    FORK = "fork"  # another history than the one that was anchored
    FORGED_APPEND = "forged-append"  # entries this installation never wrote
    SWAPPED_ORIGIN = "swapped-origin"  # the anchors are of another installation
    FORGED_ANCHOR = "forged-anchor"  # an anchor was not signed by this installation


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``entries`` were sound, the first ``anchored`` of them also as anchors saw them.

    Entries after the newest anchor can still be cut off without a trace: :attr:`tail` counts them.
    ``backwards`` is the first entry that is dated long before one in front of it: whoever wrote it
    held the key, but its clock, or theirs, was wrong.
    """

    entries: int
    anchored: int
    attack: Attack | None = None
    seq: int | None = None  # the first bad entry
    why: str | None = None
    backwards: int | None = None

    @property
    def intact(self) -> bool:
        """True when nothing is wrong; say how long the unanchored tail is, too."""
        return self.attack is None

    @property
    def tail(self) -> int:
        """How many sound entries no anchor covers."""
        return self.entries - self.anchored


def verify(
    entries: Iterable[Entry], *, seal: LedgerSeal, anchors: Iterable[str], key: VerifyKey
) -> Verdict:
    """Judge all ``entries`` in order against the chain, the MACs and the signed ``anchors``."""
    try:
        checkpoints = [key.read(line) for line in anchors]
    except ForgedAnchorError as error:
        return _broken(0, 0, Attack.FORGED_ANCHOR, None, str(error))
    for checkpoint in checkpoints:
        if checkpoint.origin != seal.origin:
            why = f"an anchor belongs to {checkpoint.origin}, this ledger to {seal.origin}"
            return _broken(0, 0, Attack.SWAPPED_ORIGIN, None, why)
    marks: dict[int, str] = {}
    for checkpoint in checkpoints:
        if marks.setdefault(checkpoint.size, checkpoint.head) != checkpoint.head:
            why = f"two anchors disagree about entry {checkpoint.size}"
            return _broken(0, 0, Attack.FORK, checkpoint.size, why)
    return _walk(iter(entries), seal, marks)


def _walk(entries: Iterator[Entry], seal: LedgerSeal, marks: Mapping[int, str]) -> Verdict:
    newest = max(marks, default=0)
    sound, anchored, previous = 0, 0, GENESIS
    latest, backwards = datetime.min.replace(tzinfo=UTC), None
    try:
        for entry in entries:
            if not _continues(entry, sound + 1, previous, seal):
                rest = [entry, *_readable(entries)]
                attack, why = _classify(rest, sound + 1, previous, seal, newest)
                return _broken(sound, anchored, attack, sound + 1, why)
            sound, previous = entry.seq, entry.digest
            if backwards is None and latest - entry.event.at > _LATE:
                backwards = sound
            latest = max(latest, entry.event.at)
            if sound in marks:
                if marks[sound] != previous:
                    why = f"entry {sound} is not the one that was anchored"
                    return _broken(anchored, anchored, Attack.FORK, anchored + 1, why)
                anchored = sound
    except UnreadableEntryError as error:
        return _broken(sound, anchored, Attack.EDIT, error.seq, "it holds what no append writes")
    if sound < newest:
        attack = Attack.ROLLBACK if sound in marks else Attack.TRUNCATION
        why = f"an anchor saw {newest} entries, {sound} are left"
        return _broken(sound, anchored, attack, sound + 1, why)
    return Verdict(entries=sound, anchored=anchored, backwards=backwards)


def _continues(entry: Entry, seq: int, previous: str, seal: LedgerSeal) -> bool:
    return (
        entry.seq == seq
        and entry.previous == previous
        and entry.digest == digest(entry.event, seq=seq, previous=previous)
        and seal.accepts(entry.digest, entry.mac)
    )


def _readable(entries: Iterator[Entry]) -> Iterator[Entry]:
    """What can still be read: only used to name an attack that is certain already."""
    try:
        yield from entries
    except UnreadableEntryError:
        return


def _classify(
    rest: Sequence[Entry], seq: int, previous: str, seal: LedgerSeal, newest: int
) -> tuple[Attack, str]:
    """Name what happened at ``seq``, where ``rest[0]`` stands."""
    entry = rest[0]
    genuine = seal.accepts(entry.digest, entry.mac)
    whole = entry.digest == digest(entry.event, seq=entry.seq, previous=entry.previous)
    if entry.seq != seq:
        swapped = entry.seq < seq or any(other.seq == seq for other in rest)
        attack = Attack.REORDER if swapped else Attack.DELETION
        return attack, f"entry {entry.seq} stands in its place"
    if genuine and not whole and _moved(entry, rest, seq, newest):
        if any(other.previous == previous for other in rest[1:]):
            return Attack.REORDER, "another genuine entry stands in its place"
        return Attack.DELETION, "it is missing; later entries were renumbered"
    if genuine and whole:
        return Attack.FORK, "it is genuine, but continues another history"
    if whole and seq > newest and not any(seal.accepts(e.digest, e.mac) for e in rest):
        return Attack.FORGED_APPEND, "nothing from here on was written by this installation"
    return Attack.EDIT, "it does not say what was written"


def _moved(entry: Entry, rest: Sequence[Entry], seq: int, newest: int) -> bool:
    """True when a genuine entry was given another number."""
    followers = {other.previous: other.seq for other in rest}
    if followers.get(entry.digest, seq + 1) != seq + 1:
        return True
    end = max(newest, seq + len(rest)) + _BEYOND
    return any(
        digest(entry.event, seq=number, previous=entry.previous) == entry.digest
        for number in range(1, end)
        if number != seq
    )


def _broken(entries: int, anchored: int, attack: Attack, seq: int | None, why: str) -> Verdict:
    return Verdict(entries=entries, anchored=anchored, attack=attack, seq=seq, why=why)
