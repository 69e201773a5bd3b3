"""A secret is given to nobody any more, and refused where it counts; what was seen of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from stanch.responder.lifecycle.cache.announcement import Announced, Announcer
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import Described, Present, Written
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.error import SecretConflict, Unsupported
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.model.revoked import REVOKED, mark, revoked
from stanch.responder.lifecycle.resolution.resolver import Passed, why_not
from stanch.responder.lifecycle.rotation.record import Mark, RotationRecord
from stanch.responder.lifecycle.rotation.rotator import RotationFailed, Rotator


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """``left`` says what may still work; without it the value was seen to be refused."""

    reference: Reference
    done: tuple[str, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Revokes secrets of one store. ``rotator`` ends the value where it counts, if one is known."""

    source: Backend
    rotator: Rotator | None
    record: RotationRecord
    announcer: Announcer
    by: Asker
    ticket: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def revoke(self, reference: Reference, why: str) -> Revoked:
        """Stop giving it, everywhere; then end the value itself. Each may be repeated."""
        self._described(reference)
        detail = {"reason": why, "ticket": self.ticket, "source": self.source.name}
        self.record.write(Mark.REVOKING, reference, self.by, detail)
        self._mark(reference, f"{self.clock():%Y-%m-%dT%H:%MZ}", why)
        if not revoked(self._described(reference).tags):
            raise SecretConflict(
                f"{reference}: {self.source.name} does not show that it is revoked",
                remedy=f"repeat it: stanch secrets revoke {reference}",
            )
        done, left = [f"{self.source.name} gives it to nobody who asks through Stanch"], []
        told = self.announcer.revoked(reference, why=why)
        if isinstance(told, Announced):
            done.append(f"{told.listeners} processes told; none gives it after {told.within}")
        else:
            left.append(f"what is kept is given for up to {told.within} yet: {told.why}")
        try:
            done.append(self._ended(reference))
        except RotationFailed as error:
            left.append(f"the value itself still works: {error}")
        words = {"done": "; ".join(done), "left": "; ".join(left), "ticket": self.ticket}
        self.record.write(Mark.REVOKED, reference, self.by, words)
        return Revoked(reference=reference, done=tuple(done), left=tuple(left))

    def restore(self, reference: Reference, why: str) -> Revoked:
        """Give it again. A value that was ended stays so: rotate it."""
        self._described(reference)
        self.record.write(Mark.RESTORED, reference, self.by, {"reason": why})
        written = self.source.annotate(reference, {REVOKED: ""})
        if not isinstance(written, Written) or revoked(self._described(reference).tags):
            raise SecretConflict(
                f"{reference}: {self.source.name} still shows that it is revoked",
                remedy=f"take its tag {REVOKED} away there",
            )
        self.announcer.restored(reference)
        return Revoked(reference=reference, done=("it is given again",))

    def _mark(self, reference: Reference, at: str, why: str) -> None:
        written = self.source.annotate(reference, mark(at, why))
        if not isinstance(written, Written):
            raise SecretConflict(
                f"{reference} is not revoked: {self.source.name}: {written.why}",
                remedy=f"repeat it: stanch secrets revoke {reference}",
            )

    def _ended(self, reference: Reference) -> str:
        if self.rotator is None:
            raise RotationFailed("nothing says where it counts", remedy="revoke it at its provider")
        current = self.source.read(reference)
        if not isinstance(current, Present):
            raise RotationFailed(
                f"its value could not be read: {current.why}", remedy="revoke it at its provider"
            )
        return self.rotator.end(current.value)

    def _described(self, reference: Reference) -> Described:
        if Ability.ANNOTATE not in self.source.abilities:
            raise Unsupported(
                f"{self.source.name} keeps nothing beside a value that could say so",
                remedy="take the value out of it, and revoke it at its provider",
            )
        look = self.source.describe(reference)
        if not isinstance(look, Described):
            raise why_not(str(reference), [Passed(source=self.source.name, answer=look)])
        return look
