"""What keeps secrets apart: environments, services and tenants do not mix."""

from __future__ import annotations

from dataclasses import dataclass

from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.metadata import Metadata
from stanch.responder.lifecycle.model.reference import Reference

NO_TENANT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a secret would be used: ``[secrets]`` of ``stanch.toml``, or what a person asks for.

    An empty ``service`` is a person's desk, where no service runs.
    """

    environment: Environment
    service: str = ""
    tenant: str = NO_TENANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Why a secret does not belong here."""

    rule: str  # "environment", "service", "tenant"
    why: str


def breaches(reference: Reference, metadata: Metadata | None, place: Place) -> tuple[Breach, ...]:
    """Every rule that giving this secret to this place would break.

    Without metadata (``None``) only the reference can be judged.
    """
    found = [*_by_reference(reference, place)]
    if metadata is not None:
        found += _by_metadata(reference, metadata, place)
    return tuple(found)


def _by_reference(reference: Reference, place: Place) -> list[Breach]:
    found = []
    if reference.environment is not place.environment:
        found.append(
            Breach(
                rule="environment",
                why=f"it belongs to {reference.environment}, and this is {place.environment}",
            )
        )
    if place.service and reference.service != place.service:
        found.append(
            Breach(
                rule="service",
                why=f"it is {reference.service}'s, and this is {place.service}: "
                "services do not share secrets",
            )
        )
    return found


def _by_metadata(reference: Reference, metadata: Metadata, place: Place) -> list[Breach]:
    found = []
    if metadata.environment is not reference.environment:
        found.append(
            Breach(
                rule="environment",
                why=f"its metadata says environment {metadata.environment}, "
                f"its name {reference.environment}",
            )
        )
    if metadata.service != reference.service:
        found.append(
            Breach(
                rule="service",
                why=f"its metadata says service {metadata.service}, its name {reference.service}",
            )
        )
    if metadata.tenant != place.tenant:
        found.append(
            Breach(
                rule="tenant",
                why=f"it is tenant {metadata.tenant}'s, and this is {_tenant(place.tenant)}",
            )
        )
    return found


def _tenant(name: str) -> str:
    return "no tenant's place" if name == NO_TENANT else f"tenant {name}'s"
