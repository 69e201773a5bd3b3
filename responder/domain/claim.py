"""What was proven about a credential, and what was not. Surfaces render this and add nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from stanch.responder.domain.json import JsonObject, JsonValue


class Validity(StrEnum):
    """What trying or looking says about a credential. Unknown is never dead."""

    LIVE = "live"
    DEAD = "dead"
    UNREACHABLE = "unreachable"  # nobody answered
    REFUSED = "refused"  # an answer that says nothing of the credential: a firewall, a limit
    NO_CHECK = "no-check"  # there is no way to find out


class Standing(StrEnum):
    """How it stands with something that a proof does not cover."""

    ALIVE = "alive"  # seen to work, or nothing stops it
    UNKNOWN = "unknown"  # not looked at, or no way to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """Something born from the credential, or reached with it, that the proof does not cover."""

    what: str  # "session deploy/thief (ASIA…7Q2M) of the role deploy"
    standing: Standing
    remedy: str
    until: datetime | None = None  # it ends by itself then

    def __str__(self) -> str:
        alive = "alive" if self.standing is Standing.ALIVE else "not known"
        return f"{self.what}: {alive}{_until(self.until)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The outcome of a proof. ``what`` is the credential itself, ``how`` its state was seen."""

    what: str
    validity: Validity
    how: str
    seen_at: datetime
    covers: tuple[str, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()

    @property
    def proven(self) -> bool:
        """Dead, with nothing left over."""
        return self.validity is Validity.DEAD and not self.uncovered

    @property
    def alive(self) -> tuple[Uncovered, ...]:
        """What is left over and works."""
        return tuple(gap for gap in self.uncovered if gap.standing is Standing.ALIVE)

    def headline(self) -> str:
        """The fewest words that are true."""
        said = _HEADLINE[self.validity]
        if not self.uncovered:
            return said
        if self.alive:
            return f"{said}, {len(self.alive)} BORN FROM IT ALIVE"
        return f"{said}, NOT PROVEN EVERYWHERE"

    def brief(self) -> str:
        """What is true of the credential itself, and that something is left, if it is."""
        said = f"{self.what[0].upper()}{self.what[1:]} {_SAID[self.validity]}."
        if not self.uncovered:
            return said
        return f"{said} NOT covered: {'; '.join(map(str, self.uncovered))}."

    def sentence(self) -> str:
        """What is true, and what is not covered, in one breath."""
        said = [f"{self.what} {_SAID[self.validity]} ({self.how})"]
        if self.covers:
            said.append(f"covered too: {'; '.join(self.covers)}")
        if self.uncovered:
            said.append(f"NOT covered: {'; '.join(map(str, self.uncovered))}")
        return ". ".join(part[0].upper() + part[1:] for part in said) + "."

    def statements(self) -> tuple[str, ...]:
        """All of it, one statement after the other."""
        seen = f"{self.seen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        said = f"{self.what} {_SAID[self.validity]} ({self.how}), seen {seen}"
        return (
            said[0].upper() + said[1:],
            *(f"Covered too: {each}" for each in self.covers),
            *(f"Not covered: {gap}. {gap.remedy}" for gap in self.uncovered),
            *((COVERED,) if self.proven else ()),
        )

    def as_json(self) -> JsonObject:
        """For evidence and ledger."""
        return {
            "what": self.what,
            "validity": self.validity.value,
            "how": self.how,
            "seen_at": self.seen_at.astimezone(UTC).isoformat(),
            "covers": list(self.covers),
            "uncovered": [
                {
                    "what": gap.what,
                    "standing": gap.standing.value,
                    "remedy": gap.remedy,
                    "until": gap.until.astimezone(UTC).isoformat() if gap.until else None,
                }
                for gap in self.uncovered
            ],
        }


COVERED = "Nothing that is known is left uncovered."
NOTHING = "Nothing is proven."
_HEADLINE = {
    Validity.LIVE: "LIVE",
    Validity.DEAD: "DEAD",
    Validity.UNREACHABLE: "NOT REACHED",
    Validity.REFUSED: "NO ANSWER",
    Validity.NO_CHECK: "NOT CHECKED",
}
_SAID = {
    Validity.LIVE: "works",
    Validity.DEAD: "is refused",
    Validity.UNREACHABLE: "could not be asked about",
    Validity.REFUSED: "got an answer that says nothing of it",
    Validity.NO_CHECK: "cannot be tried",
}


def read_claim(evidence: Mapping[str, JsonValue]) -> Claim | None:
    """The claim in a step's evidence; None when there is none, or none that can be understood."""
    found = evidence.get("claim")
    if not isinstance(found, Mapping):
        return None
    try:
        return Claim(
            what=str(found["what"]),
            validity=Validity(str(found["validity"])),
            how=str(found["how"]),
            seen_at=datetime.fromisoformat(str(found["seen_at"])),
            covers=tuple(str(item) for item in _items(found["covers"])),
            uncovered=tuple(_gap(item) for item in _items(found["uncovered"])),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _gap(value: JsonValue) -> Uncovered:
    if not isinstance(value, Mapping):
        raise TypeError("a gap is a table")
    until = value.get("until")
    return Uncovered(
        what=str(value["what"]),
        standing=Standing(str(value["standing"])),
        remedy=str(value["remedy"]),
        until=datetime.fromisoformat(str(until)) if until else None,
    )


def _items(value: JsonValue) -> Iterable[JsonValue]:
    if not isinstance(value, list | tuple):
        raise TypeError("a list is expected")
    return value


def _until(at: datetime | None) -> str:
    return f" until {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
