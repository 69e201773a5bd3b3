"""How a secret is rotated: pending, accepted, tried, promoted by compare-and-set, told, recorded.

A process may be killed between any two of these. What the store and the record say then tells
:meth:`Rotation.repair` how far it came: every act can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import uuid4

from stanch.responder.domain.json import JsonValue
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.cache.announcement import Announced, Announcer
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Described,
    NotGiven,
    Present,
    Stage,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.error import SecretConflict, SecretError, Unsupported
from stanch.responder.lifecycle.model.metadata import PREFIX
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.resolver import Passed, why_not
from stanch.responder.lifecycle.rotation.record import Mark, RotationRecord
from stanch.responder.lifecycle.rotation.rotator import RotationFailed, Rotator
from stanch.scanner.model.secret import SecretValue

LONGEST_KEPT = timedelta(hours=24)
"""For so long at most the old value goes on working beside the new one."""
_NEEDED: Mapping[Ability, str] = MappingProxyType(
    {Ability.STAGES: "keep a pending version", Ability.GUARDED: "promote by compare-and-set"}
)

Trace = Callable[[str], None]  # named boundaries; tests are killed there


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, in words for people; ``open`` says what is still to come, and when."""

    reference: Reference
    done: tuple[str, ...]
    open: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Rotates secrets of one store with one rotator. ``keep``: how long the old value works."""

    source: Backend
    rotator: Rotator
    record: RotationRecord
    announcer: Announcer
    fingerprint: Callable[[SecretValue], str]
    by: Asker
    ticket: str = ""
    keep: timedelta = LONGEST_KEPT
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    trace: Trace = lambda _: None

    def rotate(self, reference: Reference) -> Outcome:
        """Make another value current. Raises SecretError; then the old one is current as before."""
        look = self._described(reference)
        if look.rotates_itself:
            raise Unsupported(
                f"{reference}: {self.source.name} rotates it by itself",
                remedy=f"start that rotation there: {look.place}",
            )
        if look.at(Stage.PENDING) is not None:
            raise SecretConflict(
                f"{reference} has a pending version: a rotation of it is not finished",
                remedy=f"stanch secrets repair {reference}",
            )
        self._require_retired(reference)
        current = self._present(reference, self.source.read(reference))
        fresh = self.rotator.fresh(current.value)
        token = uuid4().hex
        self._write(Mark.BEGUN, reference, {"token": token, **self._told("from", current)})
        self.trace("begun")
        put = self._written(reference, self.source.put_pending(reference, fresh, token=token))
        pending = Present(value=fresh, version=put.version)
        self.trace("put")
        self._write(Mark.PENDING, reference, self._told("to", pending))
        self.trace("pending")
        return self._finish(reference, current, pending)

    def repair(self, reference: Reference, *, withdraw: bool = False, now: bool = False) -> Outcome:
        """Finish what was begun, or ``withdraw`` it; retire an old value whose time has come.

        With ``now`` it is retired before.
        """
        look, newest = self._described(reference), self.record.newest(reference)
        if look.at(Stage.PENDING) is not None:
            return self._repair_pending(reference, newest, withdraw=withdraw)
        mark = _mark(newest)
        if newest is not None and mark is Mark.DONE:
            return self._retire(reference, newest, now=now)
        if mark is Mark.PENDING and newest and newest.detail.get("to") == look.at(Stage.CURRENT):
            return self._promoted(reference, look.at(Stage.PREVIOUS), "seen as current later")
        if mark in {Mark.BEGUN, Mark.PENDING}:
            self._write(Mark.ROLLED_BACK, reference, {"reason": "nothing is pending in the store"})
            return Outcome(reference=reference, done=("nothing had been written: closed",))
        return Outcome(reference=reference, done=("nothing is open",))

    def _repair_pending(
        self, reference: Reference, newest: Event | None, *, withdraw: bool
    ) -> Outcome:
        current = self._present(reference, self.source.read(reference))
        pending = self._present(reference, self.source.read_pending(reference))
        if withdraw:
            self._roll_back(reference, current, pending, "withdrawn by a person")
            return Outcome(reference=reference, done=("the pending version was withdrawn",))
        known = newest is not None and newest.detail.get("to") == pending.version
        if not (known and _mark(newest) is Mark.PENDING):
            self._write(Mark.PENDING, reference, self._told("to", pending))
        return self._finish(reference, current, pending)

    def _finish(self, reference: Reference, current: Present, pending: Present) -> Outcome:
        try:
            self.rotator.put(pending.value, current.value)
            self.trace("accepted")
            evidence = self.rotator.test(pending.value)
        except RotationFailed as error:
            self._roll_back(reference, current, pending, str(error))
            raise
        self.trace("tested")
        written = self.source.promote(reference, pending=pending.version, current=current.version)
        self._written(reference, written)
        self.trace("promoted")
        return self._promoted(reference, current.version, evidence)

    def _promoted(self, reference: Reference, old: str | None, evidence: str) -> Outcome:
        told = self.announcer.rotated(reference)
        self.trace("told")
        if Ability.ANNOTATE in self.source.abilities:
            tags = {f"{PREFIX}last-rotated": self.clock().isoformat(timespec="seconds")}
            self._written(reference, self.source.annotate(reference, tags))
        self.trace("annotated")
        heard = f"{told.listeners} listeners told" if isinstance(told, Announced) else told.why
        detail: dict[str, JsonValue] = {
            "from": old,
            "evidence": evidence,
            "told": heard,
            "rotator": self.rotator.name,
            "keep_seconds": int(self.keep.total_seconds()),
        }
        self._write(Mark.DONE, reference, detail)
        self.trace("done")
        done = (f"the new value is current: {evidence}", heard)
        newest = self.record.newest(reference)
        if newest is None or old is None:
            return Outcome(reference=reference, done=done)
        retired = self._retire(reference, newest)
        return replace(retired, done=(*done, *retired.done))

    def _require_retired(self, reference: Reference) -> None:
        """The value before the current one still works for those who hold it, or is retired."""
        newest = self.record.newest(reference)
        if (
            newest is not None
            and _mark(newest) is Mark.DONE
            and self._retire(reference, newest).open
        ):
            raise SecretConflict(
                f"{reference} was rotated before, and consumers may still use the old value",
                remedy=f"wait, or end it now: stanch secrets repair --now {reference}",
            )

    def _retire(self, reference: Reference, done: Event, *, now: bool = False) -> Outcome:
        old, keep = done.detail.get("from"), done.detail.get("keep_seconds")
        if not isinstance(old, str) or not isinstance(keep, int):
            return Outcome(reference=reference, done=())
        due = done.at + timedelta(seconds=keep)
        if not now and self.clock() < due:
            return Outcome(
                reference=reference,
                done=(),
                open=f"the old value works until it is retired, from {due:%Y-%m-%d %H:%M} UTC on: "
                f"stanch secrets repair {reference}",
            )
        current = self._present(reference, self.source.read(reference))
        before = self.source.read(replace(reference, version=old))
        evidence = "its version is gone from the store"
        if isinstance(before, Present):
            evidence = self.rotator.retire(before.value, current.value)
            self.trace("refused")
            self._written(reference, self.source.withdraw(reference, version=old))
        elif not isinstance(before, Absent):
            raise why_not(str(reference), [Passed(source=self.source.name, answer=before)])
        self._write(Mark.RETIRED, reference, {"version": old, "evidence": evidence})
        self.trace("retired")
        return Outcome(reference=reference, done=(f"the old value is retired: {evidence}",))

    def _roll_back(
        self, reference: Reference, current: Present, pending: Present, why: str
    ) -> None:
        """Nobody was given the new value yet: it is taken back where it counts, then withdrawn."""
        try:
            self.rotator.take_back(pending.value, current.value)
            left = ""
        except RotationFailed as error:
            left = str(error)  # its password is nowhere but in the version that goes now
        self.trace("taken back")
        self._written(reference, self.source.withdraw(reference, version=pending.version))
        self.trace("withdrawn")
        self._write(
            Mark.ROLLED_BACK, reference, {"reason": why, "left": left, "version": pending.version}
        )

    def _described(self, reference: Reference) -> Described:
        lacks = [words for each, words in _NEEDED.items() if each not in self.source.abilities]
        if lacks:
            raise Unsupported(
                f"{self.source.name} cannot {' or '.join(lacks)}: nothing is rotated there",
                remedy="move the secret to secrets-manager or openbao, or rotate it by hand",
            )
        look = self.source.describe(reference)
        if not isinstance(look, Described):
            raise why_not(str(reference), [Passed(source=self.source.name, answer=look)])
        return look

    def _present(self, reference: Reference, answer: Present | NotGiven) -> Present:
        if not isinstance(answer, Present):
            raise why_not(str(reference), [Passed(source=self.source.name, answer=answer)])
        return answer

    def _written(self, reference: Reference, answer: Write) -> Written:
        if isinstance(answer, Written):
            return answer
        if isinstance(answer, NotGiven):
            raise self._unsure(reference, answer)
        raise SecretConflict(
            f"{reference}: {self.source.name}: {answer.why}",
            remedy=f"somebody else changed it: stanch secrets repair {reference}",
        )

    def _unsure(self, reference: Reference, answer: NotGiven) -> SecretError:
        error = why_not(str(reference), [Passed(source=self.source.name, answer=answer)])
        error.remedy = f"how far it came is found out by: stanch secrets repair {reference}"
        return error

    def _told(self, name: str, present: Present) -> dict[str, JsonValue]:
        return {
            name: present.version,
            "fingerprint": self.fingerprint(present.value),
            "source": self.source.name,
            "rotator": self.rotator.name,
        }

    def _write(self, mark: Mark, reference: Reference, detail: Mapping[str, JsonValue]) -> datetime:
        return self.record.write(mark, reference, self.by, {**detail, "ticket": self.ticket})


def _mark(event: Event | None) -> Mark | None:
    return None if event is None else Mark(event.action)
