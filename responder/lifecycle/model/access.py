"""Who asked for which secret, when, from where and why, and what they got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from stanch.responder.domain.json import JsonObject
from stanch.responder.lifecycle.model.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: ``actor`` as the record names them, ``where`` host and process, ``why`` freely.

    ``account`` is the operating system's user behind a name that is only claimed.
    """

    actor: str
    where: str
    account: str = ""
    why: str = ""
    correlation: str = ""


class Outcome(StrEnum):
    """What an access came to."""

    GIVEN = "given"
    INDEXED = "indexed"  # opened for its fingerprints, and given to nobody
    ABSENT = "absent"
    DENIED = "denied"  # by the store
    REFUSED = "refused"  # by us
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access. ``detail`` says why not, or which store and version; never a value.

    ``seconds``: how long the store took to give it; None where none was asked, or nobody timed.
    """

    at: datetime
    asker: Asker
    reference: Reference
    outcome: Outcome
    source: str = ""
    version: str = ""
    detail: str = ""
    seconds: float | None = None

    @property
    def words(self) -> JsonObject:
        """Everything but time and actor, as the record keeps it."""
        timed = {} if self.seconds is None else {"seconds": round(self.seconds, 6)}
        return {
            **timed,
            "reference": str(self.reference.current),
            "service": self.reference.service,
            "environment": str(self.reference.environment),
            "outcome": str(self.outcome),
            "source": self.source,
            "version": self.version,
            "account": self.asker.account,
            "where": self.asker.where,
            "why": self.asker.why,
            "correlation": self.asker.correlation,
            "detail": self.detail,
        }


class AccessLog(Protocol):
    """Where accesses are written. If that fails, it raises and nothing is given."""

    def record(self, access: Access) -> None:
        """Write one down, for good, before the value is handed over."""
