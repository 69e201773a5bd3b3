"""One read: what is kept elsewhere, who asks the store, and what its answer means for how long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from stanch.responder.lifecycle.cache.entry import (
    Answer,
    Bad,
    Good,
    Held,
    Outage,
    dated,
    decode,
    encode,
)
from stanch.responder.lifecycle.cache.flight import Flight
from stanch.responder.lifecycle.cache.seal import Sealer
from stanch.responder.lifecycle.cache.shared import Began, Lease, Shared, SharedAway, Slot
from stanch.responder.lifecycle.cache.term import Terms
from stanch.responder.lifecycle.model.error import SecretError, SecretUnavailable
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.resolver import Fetch

_UNAVAILABLE = "unavailable"
_NO_ANSWER = "the store does not answer"
_SOON = 1.0  # seconds after which we look whether the other process has an answer
_POLL = 0.02  # seconds between two looks at what another process is asking for
_WAIT = 10.0  # seconds for which we wait for it
_REVOKED = 5.0  # seconds between two looks at a mark that only `restored` takes away
_SKEW = 60.0  # seconds by which the clocks of two machines may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time that never jumps, time of day, and waiting."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One read: of what, by which call, and what this process holds of it."""

    key: Reference
    fetch: Fetch
    flight: Flight
    before: Held | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found before the store is asked. ``held``: it need not be.

    ``late`` is a good value that is not as good as new: given only if the store does not answer.
    """

    slot: Slot
    began: Began
    lease: Lease
    held: Held | None = None
    late: Held | None = None
    refusals: int = 0


class Asking:
    """Makes what is held from what others keep, or from the store's answer."""

    def __init__(
        self, shared: Shared, sealer: Sealer | None, *, namespace: str, terms: Terms, clock: Clock
    ) -> None:
        self._shared = shared
        self._sealer = sealer
        self._namespace = namespace
        self._terms = terms
        self._clock = clock

    def answer(self, wanted: Wanted) -> tuple[Held, bool]:
        """What is held now; and whether it stands, or was overtaken by an invalidation."""
        try:
            look = self._look(wanted)
        except SharedAway:
            wanted.flight.generation = ""
            late = _good(wanted.before, self._clock.monotonic())
            slot = self._slot(wanted.key)
            look = _Look(slot=slot, began=Began(), lease=Lease(ours=True), late=late)
        if look.held is not None:
            return look.held, True
        if look.lease.outage and not look.lease.ours:
            return self._outage(look, _silent(wanted.key), look.lease), True
        return self._asked(wanted, look)

    def when(self, held: Held, now: float) -> str:
        """When a refusal was said, and when it is asked for again."""
        wait = max(0.0, held.fresh_until - now)
        return (
            f" (said at {_time(held.said_at)}; asked again in {wait:.0f} s, "
            "or at once after `stanch secrets refresh`)"
        )

    def _slot(self, key: Reference) -> Slot:
        return Slot(path=key.path, field=f"{self._namespace}:{key.version}")

    def _look(self, wanted: Wanted) -> _Look:
        """What others keep, or who asks. Waits for another process if there is nothing to give."""
        slot = self._slot(wanted.key)
        deadline = self._clock.monotonic() + _WAIT
        while True:
            began = self._shared.begin(slot)
            wanted.flight.generation = began.generation
            nobody = Lease(ours=False)
            if began.revoked is not None:
                refused = self._revoked(wanted.key, began)
                return _Look(slot=slot, began=began, lease=nobody, held=refused)
            now = self._clock.monotonic()
            kept = self._kept(slot, began)
            if kept is not None and now < kept.fresh_until:
                return _Look(slot=slot, began=began, lease=nobody, held=kept)
            late = _good(kept, now) or _good(wanted.before, now, began.generation)
            lease = self._shared.lease(slot, began)
            if lease.news:
                continue
            if lease.ours or lease.outage or now >= deadline:
                count = _refusals(kept)
                return _Look(slot=slot, began=began, lease=lease, late=late, refusals=count)
            if late is not None:
                soon = replace(late, fresh_until=now + _SOON)
                return _Look(slot=slot, began=began, lease=lease, held=soon)
            self._clock.sleep(_POLL)

    def _asked(self, wanted: Wanted, look: _Look) -> tuple[Held, bool]:
        said_at, since = self._clock.wall(), self._clock.monotonic()
        answer: Answer
        try:
            answer = dated(Good(given=wanted.fetch()), said_at=said_at)
        except SecretUnavailable as error:
            return self._unanswered(wanted, look, error), True
        except SecretError as error:
            answer = Bad.of(error, count=max(look.refusals, _refusals(wanted.before)) + 1)
        except BaseException:
            self._release(look)
            raise
        held = self._holding(answer, look.began.generation, said_at=said_at, since=since)
        return held, self._put(look.slot, held)

    def _unanswered(self, wanted: Wanted, look: _Look, error: SecretUnavailable) -> Held:
        """Tell the others, and give what there is."""
        known, since = _outage_of(wanted.before)
        count = max(look.lease.count, known) + 1
        lease = replace(
            look.lease,
            count=count,
            since=look.lease.since or since or self._clock.wall(),
            retry_in=self._terms.after_outage(count),
        )
        with suppress(SharedAway):
            generation = look.began.generation
            self._shared.note_outage(look.slot, generation, lease, retry_in=lease.retry_in)
        return self._outage(look, error, lease)

    def _outage(self, look: _Look, error: SecretUnavailable, lease: Lease) -> Held:
        """The last good value, with a note; without one, the error, until it is asked again."""
        now = self._clock.monotonic()
        retry_at = now + lease.retry_in
        if look.late is None:
            bad = Bad.of(error, count=lease.count)
            said_at = self._clock.wall()
            held = self._holding(bad, look.began.generation, said_at=said_at, since=now)
            return replace(held, fresh_until=retry_at)
        note = _note(look.late, lease, left=look.late.ends_at - now, wall=self._clock.wall())
        return replace(
            look.late,
            answer=_noted(look.late.answer, note),
            generation=look.began.generation,
            outage=Outage(since=lease.since, count=lease.count, retry_at=retry_at),
        )

    def _revoked(self, key: Reference, began: Began) -> Held:
        """Refused until ``restored`` changes the generation; the store is not even asked."""
        at, why = _mark(began.revoked or "")
        bad = Bad(
            kind="refused",
            message=f"{key} is not given: it was revoked{at}{why}",
            remedy="ask its owner for the secret that takes its place; "
            "`stanch secrets list` shows what there is",
        )
        now = self._clock.monotonic()
        held = self._holding(bad, began.generation, said_at=self._clock.wall(), since=now)
        return replace(held, fresh_until=now + _REVOKED)

    def _kept(self, slot: Slot, began: Began) -> Held | None:
        """What is sealed there, with the age that it has by now."""
        if began.sealed is None or self._sealer is None:
            return None
        opened = self._sealer.open(began.sealed, (slot.path, slot.field, began.generation))
        kept = None if opened is None else decode(opened)
        age = self._clock.wall() - kept.said_at if kept is not None else 0.0
        if kept is None or age < -_SKEW:
            return None
        since = self._clock.monotonic() - max(0.0, age)
        return self._holding(kept.answer, began.generation, said_at=kept.said_at, since=since)

    def _holding(self, answer: Answer, generation: str, *, said_at: float, since: float) -> Held:
        terms = self._terms
        keep = terms.after_refusal(answer.count) if isinstance(answer, Bad) else terms.fresh()
        return Held(
            answer=answer,
            generation=generation,
            said_at=said_at,
            since=since,
            fresh_until=since + keep,
            waits_from=since + 2 * self._terms.keep,
            ends_at=since + self._terms.outage,
        )

    def _put(self, slot: Slot, held: Held) -> bool:
        """Whether the answer stands: the generation is the one under which it was asked for."""
        lasts = self._terms.outage if isinstance(held.answer, Good) else 2 * self._terms.keep
        sealed = None
        if self._sealer is not None and held.generation:
            value = encode(held.answer, said_at=held.said_at)
            sealed = self._sealer.seal(value, (slot.path, slot.field, held.generation))
        try:
            return self._shared.put(slot, held.generation, sealed, lasts=lasts)
        except SharedAway:
            return True  # this process keeps it, for as long as out of touch is allowed

    def _release(self, look: _Look) -> None:
        with suppress(SharedAway):
            self._shared.release(look.slot, look.began.generation)


def _good(held: Held | None, now: float, generation: str | None = None) -> Held | None:
    """It, if it is a value that may still be given, under this generation."""
    if held is None or isinstance(held.answer, Bad) or now >= held.ends_at:
        return None
    return held if generation in {None, held.generation} else None


def _outage_of(before: Held | None) -> tuple[int, float]:
    """How often this process was not answered already, and since when."""
    if before is None:
        return 0, 0.0
    if before.outage is not None:
        return before.outage.count, before.outage.since
    answer = before.answer
    if isinstance(answer, Bad) and answer.kind == _UNAVAILABLE:
        return answer.count, before.said_at
    return 0, 0.0


def _refusals(before: Held | None) -> int:
    """How often in a row the store said no to this process."""
    answer = before.answer if before is not None else None
    return answer.count if isinstance(answer, Bad) and answer.kind != _UNAVAILABLE else 0


def _noted(answer: Answer, note: str) -> Answer:
    if isinstance(answer, Bad):
        return answer
    return Good(
        given=tuple(
            replace(each, notes=(*(n for n in each.notes if not n.startswith(_NO_ANSWER)), note))
            for each in answer.given
        )
    )


def _note(late: Held, lease: Lease, *, left: float, wall: float) -> str:
    return (
        f"{_NO_ANSWER} since {_time(lease.since)}: this is the value of {_time(late.said_at)}, "
        f"which is given until {_time(wall + left)} at the latest"
    )


def _silent(key: Reference) -> SecretUnavailable:
    return SecretUnavailable(
        f"{key} is not known: its store did not answer another process, and is asked again soon",
        remedy="try again when the store answers; `stanch doctor` checks the way to it",
    )


def _mark(text: str) -> tuple[str, str]:
    try:
        said = json.loads(text)
        return f" at {said['at']}", f": {said['why']}" if said["why"] else ""
    except (ValueError, KeyError, TypeError):
        return "", ""


def _time(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S} UTC"
