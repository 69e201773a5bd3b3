"""Whether a secret that is there may be given here: metadata, segregation, deletion."""

from __future__ import annotations

from stanch.responder.lifecycle.model.answer import Described
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.error import SecretRefused
from stanch.responder.lifecycle.model.metadata import KEYS, Metadata, Reading, read
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.model.revoked import revoked
from stanch.responder.lifecycle.model.segregation import Place, breaches
from stanch.responder.lifecycle.resolution.precedence import LOCAL, Course


def judged(
    reference: Reference, look: Described, source: Backend, *, course: Course, place: Place
) -> Metadata | None:
    """Its metadata, where it may be given. None: a local store's, in a lenient environment.

    Raises SecretRefused with what to do next.
    """
    if look.deleted_at is not None:
        raise SecretRefused(
            f"{reference} is being deleted from {source.name}: it is given to nobody",
            remedy="take it back there if that was a mistake; `stanch secrets list` shows it",
        )
    said = revoked(look.tags)
    if said:
        raise SecretRefused(
            f"{reference} was revoked ({said}): it is given to nobody",
            remedy="when that is over, give it again and rotate it: "
            f"stanch secrets revoke --restore --reason WHY {reference.current}",
        )
    reading = read(look.tags)
    lenient = course.lenient and source.name in LOCAL
    if reading.metadata is None and not lenient:
        raise SecretRefused(
            f"{reference} is not given: its metadata in {source.name} is not complete: "
            f"{reading.problem}",
            remedy=how_to_complete(reference, reading, source, look),
        )
    require_belonging(reference, reading.metadata, place)
    return reading.metadata


def require_belonging(reference: Reference, metadata: Metadata | None, place: Place) -> None:
    """Raises SecretRefused when giving it to this place would break a rule."""
    found = breaches(reference, metadata, place)
    if found:
        raise SecretRefused(
            f"{reference} is not given: {'; '.join(each.why for each in found)}",
            remedy="ask for this place's own secret, or mend [secrets] in stanch.toml; "
            "`stanch secrets list` shows what there is",
        )


def how_to_complete(
    reference: Reference, reading: Reading, source: Backend, look: Described
) -> str:
    """The next thing to type: a command, or the comment above the variable."""
    keys = [*reading.missing, *reading.wrong]
    if Ability.ANNOTATE not in source.abilities:
        said = " ".join(f"{key}={KEYS[key].example}" for key in keys)
        return f"write above {look.place}: # stanch: {said}"
    implied = {"service": reference.service, "environment": str(reference.environment)}
    options = " ".join(f"--{key} {implied.get(key, KEYS[key].example)}" for key in keys)
    return f"run: stanch secrets annotate {reference.current} {options}"
